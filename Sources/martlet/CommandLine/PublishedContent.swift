import ArgumentParser
import LinuxIO

/// What `pub` publishes: exactly one of its options says so.
struct PublishedContent: ParsableArguments {
    @Option(name: .shortAndLong, parsing: .unconditional, help: ArgumentHelp("This text.", valueName: "TEXT"))
    var message: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("The contents of a file.", valueName: "FILE"))
    var file: String?

    @Flag(name: [.customShort("l"), .customLong("stdin-line")], help: "Each line of the standard input.")
    var takesLines = false

    @Flag(name: [.customShort("s"), .customLong("stdin-file")], help: "All of the standard input.")
    var takesInput = false

    @Flag(
        name: [.customShort("n"), .customLong("null-message")],
        help: "Nothing; with -r this takes a retained message away.")
    var isEmpty = false

    func validate() throws {
        let count = [message != nil, file != nil, takesLines, takesInput, isEmpty].count { $0 }
        guard count == 1 else {
            throw ValidationError("Say what to publish with one of -m, -f, -l, -s and -n.")
        }
    }

    func open() throws(CommandFailure) -> PayloadSource {
        do {
            if let message { return .whole(Array(message.utf8)) }
            if let file { return .whole(try File.read(file)) }
            if takesLines { return .lines(rest: [], isAtEnd: false) }
            return .whole(isEmpty ? [] : try StandardInput.readAll())
        } catch {
            throw CommandFailure("\(error)")
        }
    }
}

/// Payloads to publish, one after the other.
enum PayloadSource {
    case whole([UInt8])
    case lines(rest: [UInt8], isAtEnd: Bool)
    case finished

    /// The next one; blocks for lines.
    mutating func next() throws(CommandFailure) -> [UInt8]? {
        switch self {
        case .finished: return nil
        case .whole(let payload):
            self = .finished
            return payload
        case .lines(let rest, let isAtEnd): return try nextLine(rest, isAtEnd)
        }
    }

    private mutating func nextLine(_ rest: [UInt8], _ isAtEnd: Bool) throws(CommandFailure) -> [UInt8]? {
        var (rest, isAtEnd) = (rest, isAtEnd)
        while true {
            if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                self = .lines(rest: Array(rest[(end + 1)...]), isAtEnd: isAtEnd)
                return Array(rest[..<end])
            }
            guard !isAtEnd else {
                self = .finished
                return rest.isEmpty ? nil : rest
            }
            do {
                let more = try StandardInput.read()
                isAtEnd = more.isEmpty
                rest += more
            } catch {
                throw CommandFailure("\(error)")
            }
        }
    }
}

extension StandardInput {
    fileprivate static func readAll() throws(SystemError) -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let more = try read()
            if more.isEmpty { return all }
            all += more
        }
    }
}
