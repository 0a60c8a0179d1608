import Bytes

/// What the bridge asks of a disk for its buffer; declared here, carried out elsewhere.
///
/// Calls return at once; what became of them is told with `BufferNews`.
package protocol BufferStorage: Sendable {
    /// Opens what is on the disk, and calls `body` for every frame and the file it is in, the oldest first; news go to
    /// `report`, on any thread.
    ///
    /// Called once, before anything else.
    func open(
        reading body: (_ segment: UInt32, _ frame: Span<UInt8>) -> Void,
        report: @escaping @Sendable (BufferNews) -> Void
    ) throws(BufferUnavailable)
    /// In the order of the calls.
    func carryOut(_ action: BufferAction)
    /// Waits a moment for the last frames, then lets go of the disk.
    func close()
}

/// The buffer can't be opened, for a reason that somebody must see to.
package struct BufferUnavailable: Error, Equatable, Sendable {
    /// A sentence: what, where, what to do.
    package var why: String

    package init(_ why: String) {
        self.why = why
    }
}

/// What the storage is to do.
package enum BufferAction: Equatable, Sendable {
    /// Keep a frame; numbers rise by one from 1 on.
    ///
    /// Tried again until it works; after the first failure that is told.
    case keep([UInt8], number: UInt64)
    /// Read messages of one priority, from a place on; the answer is a chunk with the number.
    case read(segment: UInt32, Priority, from: UInt64, number: Int)
    /// Nothing in the file is needed any more.
    case remove(segment: UInt32)
    /// Only these places of the file are still needed: the room of the others may be used again.
    case shrink(segment: UInt32, keeping: [Range<UInt64>])
}

/// What the storage tells.
package enum BufferNews: Equatable, Sendable {
    /// The frames after those reported before, up to this number, are on the disk, each in the file named.
    case kept(upTo: UInt64, segments: [UInt32])
    case chunk(BufferChunk)
    /// Frames can't be kept, for the reason given; that is tried again.
    case failing(String)
    case recovered
    /// So many bytes of the file are used after it shrank.
    case shrunk(segment: UInt32, bytes: Int)
    /// The size of the disk that the buffer is on, in bytes.
    case diskSize(Int)
}

/// Messages that were read from one file.
package struct BufferChunk: Equatable, Sendable {
    package struct Item: Equatable, Sendable {
        package var header: BufferFrame.Header
        /// Where its frame begins in `bytes`.
        package var start: Int
        package var length: Int
    }

    /// As many bytes as are read at once, unless a single message is longer.
    package static let size = 1 << 20

    package var number: Int
    package var segment: UInt32
    package var lane: Priority
    /// All that is there of this range is in `items`.
    package var places: Range<UInt64>
    package var items: [Item] = []
    package var bytes: [UInt8] = []
    /// The file could not be read, for this reason.
    package var failure: String?

    package init(number: Int, segment: UInt32, lane: Priority, from place: UInt64) {
        self.number = number
        self.segment = segment
        self.lane = lane
        places = place..<UInt64.max
    }

    /// Takes up a frame of the file; false when it is full, and this one is not in it.
    package mutating func add(_ frame: Span<UInt8>) -> Bool {
        guard case .message(let header)? = try? BufferFrame(frame), header.lane == lane, places.contains(header.place)
        else { return true }
        guard bytes.isEmpty || bytes.count + frame.count <= Self.size else {
            places = places.lowerBound..<header.place
            return false
        }
        items.append(Item(header: header, start: bytes.count, length: frame.count))
        bytes.append(copying: frame)
        return true
    }
}
