import ArgumentParser
import Bytes
import LinuxIO
import Modbus

/// `martlet modbus`: a Modbus line by hand, to find out what a unit says.
struct ModbusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "modbus",
        abstract: "Look at a Modbus line by hand: who is there, and what the registers hold.",
        discussion: """
            The gateway must not have the port open meanwhile.

              martlet modbus scan --port /dev/ttyUSB0
              martlet modbus read --port /dev/ttyUSB0 --unit 1 --at 0 --count 2 --all-types
              martlet modbus write --tcp 192.168.1.20:502 --unit 1 --table coil --at 0 --value 1 --yes
            """,
        subcommands: [ModbusScan.self, ModbusRead.self, ModbusWrite.self])
}

extension RegisterTable: ExpressibleByArgument {}

/// `martlet modbus scan`: which units answer.
struct ModbusScan: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan", abstract: "Ask every unit number for one register, and tell who answers.",
        discussion: "Exit status: 0 when somebody answered, 1 when nobody did.")

    @OptionGroup var options: ModbusOptions

    @Option(help: ArgumentHelp("Unit numbers, 1 to 247.", valueName: "FIRST-LAST"))
    var units = "1-247"

    @Option(help: "The table that is asked for: coil, discrete, input or holding.")
    var table = RegisterTable.holding

    @Option(help: "The address that is asked for, counted from 0.")
    var at: UInt16 = 0

    func run() throws {
        let bounds = units.split(separator: "-").map { UInt8($0) }
        guard bounds.count == 2, let first = bounds[0], let last = bounds[1], first >= 1, first <= last, last <= 247
        else {
            throw CommandFailure("--units is two numbers from 1 to 247, like 1-32", status: .usage)
        }
        var line = try options.open()
        var found = 0
        for unit in first...last {
            StandardError.write("\runit \(unit) ")
            guard let told = told(try line.ask(unit, table.read(at, 1))) else { continue }
            found += 1
            StandardError.write("\r")
            StandardOutput.write("unit \(unit): \(told)\n")
        }
        StandardError.write("\r\(found) of \(last - first + 1) answered\n")
        if found == 0 { throw CommandFailure.silent(.failed) }
    }

    private func told(_ outcome: MasterState.Outcome) -> String? {
        switch outcome {
        case .answered(.exception(let code), _): code.isUnitMissing ? nil : "is there, and refuses: \(code)"
        case .answered: "answers"
        case .failed(.garbled): "something answers that can't be read; two units with one number, or another baud rate?"
        case .failed, .toldAll: nil
        }
    }
}

/// `martlet modbus read`: what stands in registers.
struct ModbusRead: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Read registers, coils or inputs.",
        discussion: """
            With --all-types every value that could stand there is shown, with what to write into a profile for it.

            Exit status: 0 when the unit answered, 1 when not.
            """)

    @OptionGroup var options: ModbusOptions

    @Option(help: "The unit's number.")
    var unit: UInt8 = 1

    @Option(help: "coil, discrete, input or holding.")
    var table = RegisterTable.holding

    @Option(help: "The first address, counted from 0: decimal, or hexadecimal with 0x.")
    var at: String

    @Option(help: "How many.")
    var count: UInt16 = 1

    @Flag(help: "Show every value that could be meant.")
    var allTypes = false

    func run() throws {
        let start = try ModbusWrite.number(at, "--at")
        guard count >= 1, count <= (table.isBits ? 2_000 : 125), Int(start) + Int(count) <= 65_536 else {
            throw CommandFailure("--count is 1 to \(table.isBits ? 2_000 : 125), and not beyond 65535", status: .usage)
        }
        var line = try options.open()
        switch try line.ask(unit, table.read(start, count)) {
        case .answered(.registers(let words), _): write(words, start)
        case .answered(.bits(let bits), _):
            for (index, bit) in bits.enumerated() { StandardOutput.write("\(Int(start) + index): \(bit ? 1 : 0)\n") }
        case let outcome: throw CommandFailure(ModbusWrite.sentence(outcome, unit))
        }
    }

    private func write(_ words: [UInt16], _ start: UInt16) {
        for (index, word) in words.enumerated() {
            let address = Int(start) + index
            StandardOutput.write("\(address): 0x\(Self.hex(word))  \(word)\n")
            guard allTypes else { continue }
            for line in Interpretations(words[index...], table, UInt16(address)).lines {
                StandardOutput.write("    \(line)\n")
            }
        }
    }

    private static func hex(_ word: UInt16) -> String {
        let digits = String(word, radix: 16, uppercase: true)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }
}

/// Every value that could stand in registers.
struct Interpretations {
    /// The value, and what to write into a profile for it.
    private(set) var lines: [String] = []

    init(_ words: ArraySlice<UInt16>, _ table: RegisterTable, _ address: UInt16) {
        for type in RegisterType.allCases where type != .bool && type.registerCount <= words.count {
            let orders = type.isText ? [.ABCD] : type.registerCount == 1 ? [.ABCD, .BADC] : WordOrder.allCases
            for order in orders {
                guard let value = type.decode(words.prefix(type.registerCount), order: order), Self.isLikely(value)
                else {
                    continue
                }
                let suffix = order == .ABCD ? "" : ", order: \(order.rawValue)"
                lines.append(
                    "\(Self.text(value))   name: { table: \(table.rawValue), at: \(address), type: \(type.rawValue)\(suffix) }"
                )
            }
        }
    }

    private static func text(_ value: RegisterValue) -> String {
        switch value {
        case .boolean(let boolean): "\(boolean)"
        case .integer(let integer): "\(integer)"
        case .unsigned(let unsigned): "\(unsigned)"
        case .number(let number): "\(number)"
        case .text(let text): "\"\(text)\""
        }
    }

    /// A float far from everything that is measured is a number read wrongly, and so is a text that is none.
    private static func isLikely(_ value: RegisterValue) -> Bool {
        switch value {
        case .number(let number): number == 0 || (1e-6...1e9).contains(abs(number))
        case .text(let text): !text.isEmpty && !text.contains("?")
        default: true
        }
    }
}

/// `martlet modbus write`: changes something at a unit.
struct ModbusWrite: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "write", abstract: "Write one register or coil, once.",
        discussion: """
            Something may move: without --yes it only says what it would send.

            Exit status: 0 when the unit confirmed it, 1 when not.
            """)

    @OptionGroup var options: ModbusOptions

    @Option(help: "The unit's number; 0 means all of them, and none answers.")
    var unit: UInt8 = 1

    @Option(help: "coil or holding.")
    var table = RegisterTable.holding

    @Option(help: "The address, counted from 0: decimal, or hexadecimal with 0x.")
    var at: String

    @Option(help: "A number, or for a coil 1 (on), 0 (off) or what the device takes, like 0x5500.")
    var value: String

    @Flag(help: "Do it.")
    var yes = false

    func run() throws {
        let (address, number) = (try Self.number(at, "--at"), try Self.number(value, "--value"))
        let request: Request
        switch table {
        case .holding: request = .writeSingleRegister(address: address, value: number)
        case .coil: request = .writeSingleCoil(address: address, value: number == 1 ? 0xFF00 : number)
        case .discrete, .input:
            throw CommandFailure("--table is coil or holding: others can't be written", status: .usage)
        }
        guard yes else {
            let frame = options.ascii ? ASCIIFrame.encode : RTUFrame.encode
            let bytes = Hex.text(frame(unit, request.pdu))
            StandardOutput.write("unit \(unit) would get: \(bytes)\nIt was not sent: say --yes for that.\n")
            return
        }
        var line = try options.open()
        let outcome = try line.ask(unit, request)
        if case .toldAll = outcome {
            StandardOutput.write("it was said to all units; nobody confirms that\n")
            return
        }
        guard case .answered(.written, _) = outcome else { throw CommandFailure(Self.sentence(outcome, unit)) }
        StandardOutput.write("unit \(unit) confirmed it\n")
    }

    static func number(_ text: String, _ option: String) throws(CommandFailure) -> UInt16 {
        let number = text.hasPrefix("0x") ? UInt16(text.dropFirst(2), radix: 16) : UInt16(text)
        guard let number else {
            throw CommandFailure("\(option) is a number from 0 to 65535, or 0x0000 to 0xFFFF", status: .usage)
        }
        return number
    }

    static func sentence(_ outcome: MasterState.Outcome, _ unit: UInt8) -> String {
        switch outcome {
        case .answered(.exception(let code), _): "unit \(unit) refused: \(code)"
        case .answered, .toldAll: "unit \(unit) answered something else"
        case .failed(.garbled):
            "what came from unit \(unit) can't be read: check baudrate, format and wiring (`martlet modbus read --help`)"
        case .failed: "unit \(unit) did not answer: is it there, with this number, baudrate and format?"
        }
    }
}

extension RegisterTable {
    fileprivate func read(_ start: UInt16, _ count: UInt16) -> Request {
        ReadPlan.Block(table: self, start: start, count: count, members: []).request
    }
}
