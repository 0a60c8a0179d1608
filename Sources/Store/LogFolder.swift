import LinuxIO
import Readings

/// The files of a log and their names.
struct LogFolder: Sendable {
    /// What is in the folder, sorted by number.
    struct Contents: Equatable, Sendable {
        var segments: [UInt32] = []
        var snapshots: [UInt32] = []
        var unfinished: [String] = []
        var setAside: [String] = []
        /// The highest number in any name: no number is used twice.
        var highest: UInt32 = 0
    }

    private static let segment = "segment-"
    private static let snapshot = "snapshot-"
    static let unfinished = ".new"
    private static let damaged = ".damaged-"
    static let lock = "lock"
    /// Beyond it is no number of ours; a file a second would take a hundred years.
    private static let highestNumber: UInt32 = 4_000_000_000

    let path: String
    let disk: any Disk

    static func name(_ kind: FileHeader.Kind, _ number: UInt32) -> String {
        let digits = String(number)
        return (kind == .segment ? segment : snapshot) + String(repeating: "0", count: max(0, 10 - digits.count))
            + digits
    }

    func path(_ name: String) -> String { "\(path)/\(name)" }

    func path(_ kind: FileHeader.Kind, _ number: UInt32) -> String { path(Self.name(kind, number)) }

    func contents() throws(SystemError) -> Contents {
        var contents = Contents()
        for name in try disk.names(in: path) { Self.sort(name, into: &contents) }
        return contents
    }

    private static func sort(_ name: String, into contents: inout Contents) {
        let isSegment = name.hasPrefix(segment)
        guard isSegment || name.hasPrefix(snapshot) else { return }
        let rest = name.dropFirst(isSegment ? segment.utf8.count : snapshot.utf8.count)
        guard let number = UInt32(rest.prefix { $0 != "." }), (1...highestNumber).contains(number) else { return }
        if name.contains(damaged) {
            contents.setAside.append(name)
        } else if name.hasSuffix(unfinished) {
            contents.unfinished.append(name)
        } else if rest.contains(".") {
            return
        } else if isSegment {
            contents.segments.append(number)
        } else {
            contents.snapshots.append(number)
        }
        contents.highest = max(contents.highest, number)
    }

    func open(_ kind: FileHeader.Kind, _ number: UInt32) throws(SystemError) -> any DiskFile {
        try disk.open(path(kind, number), for: .reading)
    }

    // MARK: what is damaged

    /// How many damaged files are kept beside the log; older ones go.
    private static let kept = 10

    /// Copies a damaged file to a name with the date, so that people can look at it.
    func setAside(_ name: String, now: Timestamp) throws(SystemError) -> String {
        let others = try contents().setAside
        let copy = Self.datedName(name, now, among: others)
        do throws(SystemError) {
            try self.copy(name, to: copy)
        } catch {
            try? disk.remove(path(copy))
            throw error
        }
        let byAge = others.sorted { Self.date(of: $0) < Self.date(of: $1) }
        for old in byAge.dropLast(Self.kept - 1) { try? disk.remove(path(old)) }
        return copy
    }

    private static func datedName(_ name: String, _ now: Timestamp, among others: [String]) -> String {
        let date = now.textInUTC.prefix(19).replacing(":", with: "-")
        let wanted = name + damaged + date
        var number = 1
        var dated = wanted
        while others.contains(dated) {
            number += 1
            dated = "\(wanted)-\(number)"
        }
        return dated
    }

    private static func date(of name: String) -> Substring {
        name.split(separator: damaged, maxSplits: 1).last ?? ""
    }

    private func copy(_ name: String, to newName: String) throws(SystemError) {
        let old = try disk.open(path(name), for: .reading)
        let new = try disk.open(path(newName), for: .creating)
        let end = try old.length()
        var offset = 0
        while offset < end {
            var bytes: [UInt8] = []
            _ = try FileScan.read(old, min(1 << 18, end - offset), at: offset, into: &bytes)
            guard !bytes.isEmpty else { break }
            try new.write(bytes.span, at: offset)
            offset += bytes.count
        }
        try new.synchronize()
        try disk.synchronize(folder: path)
    }
}
