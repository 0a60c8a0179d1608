import Dispatch
import Foundation
import LinuxIO
import Synchronization

/// A disk in memory that records what was done to it, can be full or broken, and can lose power at any moment.
///
/// What was written but not synchronised may be lost, whole or in part, when the power goes; names may be lost until
/// their folder was synchronised, the latest first, as file systems with a journal do.
final class MemoryDisk: Disk {
    enum Step: Equatable {
        case create(path: String, file: Int)
        case write(file: Int, offset: Int, bytes: [UInt8])
        case setLength(file: Int, length: Int)
        case synchronize(file: Int)
        case synchronizeFolder
        case rename(path: String, newPath: String)
        case remove(path: String)
    }

    struct State {
        var names: [String: Int] = [:]
        var files: [[UInt8]] = []
        var steps: [Step] = []
        /// Calls that fail from now on, with their errno.
        var failing: [String: CInt] = [:]
        /// Bytes that may still be written.
        var room = Int.max
        /// What a synchronisation waits for.
        var gate: DispatchSemaphore?
        /// Bytes that can't be read, by path.
        var badBytes: [String: Range<Int>] = [:]
    }

    let state: Mutex<State>
    fileprivate let held = DispatchSemaphore(value: 0)

    init(_ files: [String: [UInt8]] = [:]) {
        var state = State()
        for (path, bytes) in files.sorted(by: { $0.key < $1.key }) {
            state.names[path] = state.files.count
            state.files.append(bytes)
        }
        self.state = Mutex(state)
    }

    var files: [String: [UInt8]] {
        state.withLock { state in state.names.mapValues { state.files[$0] } }
    }

    var steps: [Step] { state.withLock { $0.steps } }

    func fail(_ call: String, _ code: CInt?) {
        state.withLock { $0.failing[call] = code }
    }

    func setRoom(_ room: Int) {
        state.withLock { $0.room = room }
    }

    /// Has the next synchronisations wait.
    func hold(until gate: DispatchSemaphore?) {
        state.withLock { $0.gate = gate }
    }

    func waitUntilHeld() {
        held.wait()
    }

    func spoil(_ bytes: Range<Int>, of path: String) {
        state.withLock { $0.badBytes[path] = bytes }
    }

    func change(_ path: String, _ change: (inout [UInt8]) -> Void) {
        state.withLock { state in
            if let file = state.names[path] { change(&state.files[file]) }
        }
    }

    fileprivate func perform<Result>(
        _ call: String, _ path: String, _ body: (inout State) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        try state.withLock { (state) throws(SystemError) in
            if let code = state.failing[call] { throw SystemError(code: code, call: call, subject: path) }
            return try body(&state)
        }
    }

    // MARK: Disk

    func makeFolder(_ path: String) throws(SystemError) {
        try perform("mkdir", path) { _ in }
    }

    func names(in folder: String) throws(SystemError) -> [String] {
        try perform("opendir", folder) { state in
            state.names.keys.filter { $0.hasPrefix(folder + "/") }.map { String($0.dropFirst(folder.count + 1)) }
                .sorted()
        }
    }

    func open(_ path: String, for purpose: DiskPurpose) throws(SystemError) -> any DiskFile {
        let call = purpose == .reading ? "open" : purpose == .creating ? "create" : "change"
        return try perform(call, path) { (state) throws(SystemError) in
            if let file = state.names[path] {
                guard purpose != .creating else { throw SystemError(code: EEXIST, call: "open", subject: path) }
                return MemoryFile(disk: self, file: file, path: path)
            }
            guard purpose == .creating else { throw SystemError(code: ENOENT, call: "open", subject: path) }
            let file = state.files.count
            state.files.append([])
            state.names[path] = file
            state.steps.append(.create(path: path, file: file))
            return MemoryFile(disk: self, file: file, path: path)
        }
    }

    func rename(_ path: String, to newPath: String) throws(SystemError) {
        try perform("rename", path) { (state) throws(SystemError) in
            guard let file = state.names.removeValue(forKey: path) else {
                throw SystemError(code: ENOENT, call: "rename", subject: path)
            }
            state.names[newPath] = file
            state.steps.append(.rename(path: path, newPath: newPath))
        }
    }

    func remove(_ path: String) throws(SystemError) {
        try perform("unlink", path) { (state) throws(SystemError) in
            guard state.names.removeValue(forKey: path) != nil else {
                throw SystemError(code: ENOENT, call: "unlink", subject: path)
            }
            state.steps.append(.remove(path: path))
        }
    }

    func synchronize(folder: String) throws(SystemError) {
        try perform("fsync", folder) { $0.steps.append(.synchronizeFolder) }
    }

    func freeBytes(at folder: String) throws(SystemError) -> Int {
        try perform("statvfs", folder) { $0.room }
    }

    func lock(_ path: String) throws(SystemError) -> FileLock? {
        try perform("flock", path) { _ in nil }
    }
}

private final class MemoryFile: DiskFile {
    private let disk: MemoryDisk
    private let file: Int
    private let path: String

    init(disk: MemoryDisk, file: Int, path: String) {
        self.disk = disk
        self.file = file
        self.path = path
    }

    func length() throws(SystemError) -> Int {
        try disk.perform("fstat", path) { $0.files[file].count }
    }

    func read(_ count: Int, at offset: Int, into buffer: inout [UInt8]) throws(SystemError) {
        let bytes = try disk.perform("read", path) { (state) throws(SystemError) in
            let all = state.files[file]
            let range = min(offset, all.count)..<min(offset + count, all.count)
            if let bad = state.badBytes[path], bad.overlaps(range) {
                throw SystemError(code: EIO, call: "read", subject: path)
            }
            return all[range]
        }
        buffer += bytes
    }

    /// A full disk takes what there is room for.
    func write(_ bytes: Span<UInt8>, at offset: Int) throws(SystemError) {
        let all = bytes.withUnsafeBufferPointer { Array($0) }
        try disk.perform("write", path) { (state) throws(SystemError) in
            let taken = Array(all.prefix(state.room))
            state.room -= taken.count
            state.files[file].overwrite(taken, at: offset)
            state.steps.append(.write(file: file, offset: offset, bytes: taken))
            guard taken.count == all.count else { throw SystemError(code: ENOSPC, call: "write", subject: path) }
        }
    }

    func setLength(_ length: Int) throws(SystemError) {
        try disk.perform("ftruncate", path) { state in
            state.files[file].setLength(length)
            state.steps.append(.setLength(file: file, length: length))
        }
    }

    func synchronize() throws(SystemError) {
        if let gate = disk.state.withLock({ $0.gate }) {
            disk.held.signal()
            gate.wait()
        }
        try disk.perform("fdatasync", path) { $0.steps.append(.synchronize(file: file)) }
    }
}

extension [UInt8] {
    mutating func setLength(_ length: Int) {
        if count > length { removeLast(count - length) }
        if count < length { append(contentsOf: repeatElement(0, count: length - count)) }
    }

    mutating func overwrite(_ bytes: [UInt8], at offset: Int) {
        if count < offset + bytes.count { setLength(offset + bytes.count) }
        replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }
}

extension MemoryDisk {
    /// Files after steps that were done to a disk which began with others.
    static func replay(_ files: [String: [UInt8]], _ steps: ArraySlice<Step>) -> MemoryDisk {
        let disk = MemoryDisk(files)
        disk.state.withLock { state in
            for step in steps { state.apply(step) }
        }
        return disk
    }
}

extension MemoryDisk.State {
    fileprivate mutating func apply(_ step: MemoryDisk.Step) {
        switch step {
        case .create(let path, let file):
            while files.count <= file { files.append([]) }
            names[path] = file
        case .write(let file, let offset, let bytes): files[file].overwrite(bytes, at: offset)
        case .setLength(let file, let length): files[file].setLength(length)
        case .synchronize, .synchronizeFolder: break
        case .rename(let path, let newPath): names[newPath] = names.removeValue(forKey: path)
        case .remove(let path): names[path] = nil
        }
    }
}
