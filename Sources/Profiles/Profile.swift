package import Decoders
package import Documents
package import Modbus
package import Readings

/// What `devices/<maker>-<model>.yaml` says about one device model.
package struct Profile: Equatable, Sendable {
    package struct Product: Equatable, Sendable {
        package var make: String?
        package var model: String
    }

    package var name: String
    package var version: Int
    package var products: [Product] = []
    /// Where the facts are from.
    package var source: String?
    package var bus: ProfileBus
    package var points: [ProfilePoint] = []
    package var probe: ProfileProbe?
    package var tests: [ProfileTest] = []
    /// The file it was read from.
    package var file: String

    package func point(_ name: String) -> ProfilePoint? {
        points.first { $0.name == name }
    }
}

/// How the device is reached.
package enum ProfileBus: Equatable, Sendable {
    case modbus(ModbusBus)
    case serial(SerialBus)

    package var baudrate: Int {
        switch self {
        case .modbus(let bus): bus.baudrate
        case .serial(let bus): bus.baudrate
        }
    }

    package var format: LineFormat {
        switch self {
        case .modbus(let bus): bus.format
        case .serial(let bus): bus.format
        }
    }
}

/// A device that answers Modbus requests.
package struct ModbusBus: Equatable, Sendable {
    package var baudrate = 9_600
    package var format = LineFormat()
    package var unit: UInt8 = 1
    /// The longest read that the device takes.
    package var maximumRegisters: Int?

    package init(baudrate: Int = 9_600, format: LineFormat = LineFormat()) {
        self.baudrate = baudrate
        self.format = format
    }
}

/// A device that speaks unasked, or answers to requests that its profile spells out.
package struct SerialBus: Equatable, Sendable {
    package var baudrate = 9_600
    package var format = LineFormat()
    package var decoder: StreamFormat
    /// A longer pause ends what was begun; nil for what is usual.
    package var longestPause: Duration?
    package var requests: [StreamRequest] = []
    /// Whether the line gives back what is sent on it.
    package var echoes = false
    /// Whether a meter that is asked may change to another speed for its readout; see `IECSpeedChange`.
    package var changesSpeed = false
    /// How often it is heard when all is well.
    package var every: Duration = .seconds(10)
}

/// Data bits, parity and stop bits, as people write them: `8N1`.
package struct LineFormat: Equatable, Sendable {
    package enum Parity: String, CaseIterable, Sendable {
        case none = "N"
        case even = "E"
        case odd = "O"
    }

    package var dataBits = 8
    package var parity = Parity.none
    package var stopBits = 1

    package init() {}

    /// Reads `8N1`, `7E1`, `8e2`; nil for anything else.
    package init?(_ text: String) {
        let characters = Array(text.uppercased())
        guard characters.count == 3, let data = Int(String(characters[0])), (5...8).contains(data),
            let parity = Parity(rawValue: String(characters[1])), let stop = Int(String(characters[2])),
            (1...2).contains(stop)
        else { return nil }
        dataBits = data
        self.parity = parity
        stopBits = stop
    }

    /// What one character takes on the line, in bits: start, data, parity, stop.
    package var bitsPerCharacter: Int { 1 + dataBits + (parity == .none ? 0 : 1) + stopBits }
}

extension LineFormat: CustomStringConvertible {
    package var description: String { "\(dataBits)\(parity.rawValue)\(stopBits)" }
}

/// One value that the device offers.
package struct ProfilePoint: Equatable, Sendable {
    /// How often it is read, next to its neighbours.
    package enum Pace: String, CaseIterable, Sendable {
        case normal
        /// Totals and settings: every tenth time.
        case slow
    }

    package var name: String
    package var unit: String?
    package var `class`: String?
    package var phase: String?
    package var quantity: String?
    package var pace = Pace.normal
    package var source: PointSource
    /// Words for values: `0` → `OFF`.
    package var map: [ValueName] = []
    package var command: PointCommand?
    /// Where its value can lie if the device is well; nil where any value will do.
    package var plausible: ClosedRange<Double>?

    /// Whether a value can be true: words always can.
    package func isPlausible(_ value: Value) -> Bool {
        guard let plausible, let number = value.asNumber else { return true }
        return plausible.contains(number)
    }
}

/// Where a value comes from.
package enum PointSource: Equatable, Sendable {
    case register(RegisterSource)
    /// The first of these codes that a telegram has.
    case obis([OBISCode])
    /// The reading of the first sub-meter of a kind.
    case subMeter(SubMeter)
    /// Bytes of a binary frame.
    case frame(FrameSource)
    /// A field of a line.
    case field(FieldSource)
}

package struct FrameSource: Equatable, Sendable {
    /// Which kind of frame; nil where there is only one.
    package var frame: String?
    package var field: FrameField
    package var scale: DecimalFactor
    package var offset: Double = 0
    /// Raw values that mean "nothing measured".
    package var notAvailable: [Int64] = []
}

package struct FieldSource: Equatable, Sendable {
    package var name: String
    package var scale: DecimalFactor
    package var offset: Double = 0
    /// Whether text that is no number is no value: where there is a unit or a scale.
    package var isNumber: Bool
    /// Words for texts.
    package var words: [String: String] = [:]
    /// What other fields must say for the value to count.
    package var only: [String: String] = [:]
}

package struct RegisterSource: Equatable, Sendable {
    package var point: RegisterPoint
    package var scale: DecimalFactor
    package var offset: Double = 0
    /// Raw values that mean "nothing measured".
    package var notAvailable: [Int64] = []
    /// The bits of the raw value that count, the lowest of them first; all if nil.
    package var bits: ClosedRange<Int>?
}

/// A scale as it was written: 0.1 has one decimal, and so have its products.
package struct DecimalFactor: Equatable, Sendable {
    package var value: Double
    package var decimals: Int

    package static let one = DecimalFactor(value: 1, decimals: 0)
}

package struct ValueName: Equatable, Sendable {
    package var raw: Int64
    package var name: String
}

/// How a command is written to the device.
package struct PointCommand: Equatable, Sendable {
    package enum Function: Int, CaseIterable, Sendable {
        case writeSingleCoil = 5
        case writeSingleRegister = 6
    }

    package var function: Function
    /// Where it is written, if that is not where the state is read.
    package var address: UInt16?
    /// The words that people send, and what is written for each, in the order of the file.
    package var values: [CommandValue]
    /// Whether the state is read back before the command counts as done.
    package var verifies = true
}

package struct CommandValue: Equatable, Sendable {
    package var word: String
    package var raw: UInt16
}

/// The one value that tells whether a unit is such a device.
package struct ProfileProbe: Equatable, Sendable {
    package var point: String
    /// Where its value lies, one of these; empty where any value will do.
    package var expected: [ClosedRange<Double>]

    package func accepts(_ value: Double) -> Bool {
        expected.isEmpty || expected.contains { $0.contains(value) }
    }
}

/// An exchange with known bytes and what comes of it.
package struct ProfileTest: Equatable, Sendable {
    package struct Expected: Equatable, Sendable {
        package var point: String
        package var value: String
    }

    /// The request; empty for devices that speak unasked.
    package var send: [UInt8]
    package var receive: [UInt8]
    /// Readings that must come out.
    package var gives: [Expected]
    /// The command that makes the request.
    package var writes: Expected?
    package var from: String?
    package var mark: Mark
}
