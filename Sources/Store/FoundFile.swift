import Bytes
import LinuxIO

/// A file of a log as it was found.
struct FoundFile: Sendable {
    enum Condition: Equatable, Sendable {
        case header(FileHeader)
        /// Both copies of its header are damaged, or were never written.
        case noHeader
        case newer(version: Int)
        case unreadable(SystemError)
    }

    let kind: FileHeader.Kind
    let number: UInt32
    var condition: Condition
    var length = 0
    /// Whether no byte of its front says anything: it was made, and what was written to it did not arrive.
    var isBlank = false
    /// Whether the disk could not read its front.
    var hasBadBlocks = false

    var name: String { LogFolder.name(kind, number) }

    var header: FileHeader? {
        if case .header(let header) = condition { header } else { nil }
    }

    var isReadable: Bool {
        switch condition {
        case .header, .noHeader: true
        case .newer, .unreadable: false
        }
    }

    init(_ kind: FileHeader.Kind, _ number: UInt32, in folder: LogFolder) {
        self.kind = kind
        self.number = number
        condition = .noHeader
        do throws(SystemError) {
            let file = try folder.open(kind, number)
            length = min(try file.length(), Int(UInt32.max))
            var front: [UInt8] = []
            hasBadBlocks = try !FileScan.read(file, min(length, FileHeader.length), at: 0, into: &front)
            isBlank = !hasBadBlocks && front.allSatisfy { $0 == 0 }
            switch FileHeader.read(front) {
            case .header(let header) where header.kind == kind && header.number == number:
                condition = .header(header)
            case .newer(let version): condition = .newer(version: version)
            case .header, .none: break
            }
        } catch {
            condition = .unreadable(error)
        }
    }

    /// What the sums of its frames begin with; `salt` is that of the other files.
    func seed(salt: UInt64) -> CRC32C {
        FileHeader.seed(salt: header?.salt ?? salt, number: number, kind)
    }
}
