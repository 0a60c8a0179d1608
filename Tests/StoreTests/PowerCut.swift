import Foundation
import LinuxIO

@testable import Store

/// What a disk may hold after the power went while something was written to it.
///
/// Names change in order, as with a journal, but those since the last synchronisation of the folder may be missing.
/// What was written to a file since its last synchronisation is there, is not, or is there in part, each write for itself.
struct PowerCut {
    /// What became of a write that nobody waited for.
    enum Fate: CaseIterable {
        case arrived
        case lost
        case half
        /// The file grew, and what should be there is not.
        case zeros
        /// The second half without the first.
        case late
    }

    private let steps: ArraySlice<MemoryDisk.Step>

    /// After so many steps.
    init(_ steps: [MemoryDisk.Step], after count: Int) {
        self.steps = steps.prefix(count)
    }

    private static func isName(_ step: MemoryDisk.Step) -> Bool {
        switch step {
        case .create, .rename, .remove: true
        case .write, .setLength, .synchronize, .synchronizeFolder: false
        }
    }

    /// How many of the latest changes of names may be missing.
    private var uncertainNames: Int {
        let start = steps.lastIndex(of: .synchronizeFolder) ?? steps.startIndex
        return steps[start...].filter(Self.isName).count
    }

    /// The places of the writes that may not have arrived.
    private var uncertainWrites: [Int] {
        steps.indices.filter { index in
            switch steps[index] {
            case .write(let file, _, _), .setLength(let file, _):
                !steps[index...].contains(.synchronize(file: file))
            default: false
            }
        }
    }

    /// Everything that may be on the disk; where there is too much of it, a part that the seed chooses.
    func outcomes(seed: UInt64, atMost limit: Int = 80) -> [MemoryDisk] {
        let writes = uncertainWrites
        let fates = Fate.allCases.count
        var random = SeededGenerator(seed: seed)
        let count = (0..<writes.count).reduce(1) { product, _ in min(product * fates, 1_000_000) }
        let choices =
            count <= limit ? Array(0..<count) : (0..<limit).map { _ in Int.random(in: 0..<count, using: &random) }
        return (0...uncertainNames).flatMap { missing in
            choices.map { choice in
                var rest = choice
                var fate: [Int: Fate] = [:]
                for write in writes {
                    fate[write] = Fate.allCases[rest % fates]
                    rest /= fates
                }
                return disk(fate, missingNames: missing)
            }
        }
    }

    private func disk(_ fate: [Int: Fate], missingNames: Int) -> MemoryDisk {
        var names: [String: Int] = [:]
        var files: [Int: [UInt8]] = [:]
        var changes = steps.filter(Self.isName).count - missingNames
        for (index, step) in zip(steps.indices, steps) {
            if Self.isName(step) {
                changes -= 1
                if changes >= 0 { Self.rename(step, &names) }
            }
            Self.write(step, fate[index] ?? .arrived, &files)
        }
        return MemoryDisk(names.mapValues { files[$0] ?? [] })
    }

    private static func rename(_ step: MemoryDisk.Step, _ names: inout [String: Int]) {
        switch step {
        case .create(let path, let file): names[path] = file
        case .rename(let path, let newPath):
            names[newPath] = names[path]
            names[path] = nil
        case .remove(let path): names[path] = nil
        default: break
        }
    }

    private static func write(_ step: MemoryDisk.Step, _ fate: Fate, _ files: inout [Int: [UInt8]]) {
        switch step {
        case .write(let file, let offset, let bytes):
            let half = bytes.count / 2
            switch fate {
            case .arrived: files[file, default: []].overwrite(bytes, at: offset)
            case .lost: break
            case .half: files[file, default: []].overwrite(Array(bytes[..<half]), at: offset)
            case .zeros: files[file, default: []].overwrite([UInt8](repeating: 0, count: bytes.count), at: offset)
            case .late: files[file, default: []].overwrite(Array(bytes[half...]), at: offset + half)
            }
        case .setLength(let file, let length):
            if fate == .arrived { files[file, default: []].setLength(length) }
        default: break
        }
    }
}
