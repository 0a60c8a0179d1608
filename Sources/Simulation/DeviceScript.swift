package import Modbus

/// What a simulated device does that has no model of its own: it is made from what is known of its profile.
package enum DeviceScript: Equatable, Sendable {
    /// A Modbus unit with these values.
    case registers(RegisterScript)
    /// Says something, unasked or when it is asked.
    case messages(MessageScript)

    /// Whether it speaks Modbus, so that several can share a line.
    package var isModbus: Bool {
        if case .registers = self { true } else { false }
    }
}

/// The values of a Modbus unit.
package struct RegisterScript: Equatable, Sendable {
    /// A number that moves a little about where it is; or counts up.
    package struct Quantity: Equatable, Sendable {
        package var point: RegisterPoint
        /// As it is in the registers: before scale and offset.
        package var raw: Double
        /// The share of it that it moves up and down; 0 for one that stays until it is written.
        package var swing: Double
        /// What is added to it in a second.
        package var growth: Double

        package init(_ point: RegisterPoint, raw: Double, swing: Double = 0, growth: Double = 0) {
            self.point = point
            self.raw = raw
            self.swing = swing
            self.growth = growth
        }
    }

    /// What a write of one value to one place does to a quantity.
    package struct Effect: Equatable, Sendable {
        /// The table it is written to, coil or holding.
        package var table: RegisterTable
        package var address: UInt16
        package var value: UInt16
        /// Where its state is read, and what that is then; nil for the other one of two.
        package var point: RegisterPoint
        package var raw: Double?

        package init(
            _ table: RegisterTable, _ address: UInt16, _ value: UInt16, sets point: RegisterPoint, to raw: Double?
        ) {
            self.table = table
            self.address = address
            self.value = value
            self.point = point
            self.raw = raw
        }
    }

    package var quantities: [Quantity]
    package var effects: [Effect]
    /// The longest read that it takes.
    package var maximumRegisters: Int

    package init(_ quantities: [Quantity], effects: [Effect] = [], maximumRegisters: Int = 125) {
        self.quantities = quantities
        self.effects = effects
        self.maximumRegisters = maximumRegisters
    }
}

/// The messages of a device that does not speak Modbus.
package struct MessageScript: Equatable, Sendable {
    package struct Exchange: Equatable, Sendable {
        package var request: [UInt8]
        package var answer: [UInt8]

        package init(request: [UInt8], answer: [UInt8]) {
            self.request = request
            self.answer = answer
        }
    }

    /// Said in turn, one each time; none for a device that only answers.
    package var unasked: [[UInt8]]
    package var every: Duration
    package var exchanges: [Exchange]

    package init(unasked: [[UInt8]] = [], every: Duration, exchanges: [Exchange] = []) {
        self.unasked = unasked
        self.every = every
        self.exchanges = exchanges
    }
}
