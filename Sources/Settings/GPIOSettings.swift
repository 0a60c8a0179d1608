package import Control
package import Decoders

/// One entry of `gpio`: lines, and what they are.
package struct GPIODeviceSettings: Equatable, Sendable {
    package var key: String
    package var name: String?
    /// All of one chip; in the order of their roles.
    package var lines: [GPIOLineSettings]
    package var use: GPIOUse
    package var points: [GPIOPointSettings]

    package init(key: String, lines: [GPIOLineSettings], use: GPIOUse, points: [GPIOPointSettings]) {
        self.key = key
        self.lines = lines
        self.use = use
        self.points = points
    }
}

/// Which line, and how it is wired.
package struct GPIOLineSettings: Equatable, Sendable {
    package enum Address: Equatable, Hashable, Sendable {
        /// As the board names it, on whichever chip.
        case named(String)
        /// By its chip's label and its place there.
        case labelled(chip: String, offset: Int)
    }

    /// The resistor in the chip; the raw value is its word.
    package enum Bias: String, CaseIterable, Sendable {
        case asIs = "as-is"
        case off
        case pullUp = "pull-up"
        case pullDown = "pull-down"
    }

    package var address: Address
    package var isActiveLow = false
    package var bias = Bias.asIs

    package init(_ address: Address) {
        self.address = address
    }
}

/// What the lines of a device are for.
package enum GPIOUse: Equatable, Sendable {
    /// `keeps` is how often a total is kept; nil where nothing outlives the process. `start` is where a counter begins
    /// of which nothing is kept yet, in pulses.
    case input(LineFunction, debounce: Duration, keeps: Duration?, start: Int64)
    case output(GPIODrive)
    /// The lines are two relays, open and close, and the contacts that the settings speak of.
    case cover(CoverMotion.Settings, GPIODrive, debounce: Duration)
    /// The lines are step, direction, enable where there is one, and the contact.
    case stepper(StepperSettings, GPIODrive)
    /// It has no line of a GPIO chip.
    case pwm(PWMSettings)
    /// A line that goes on and off once a period, for as long as the gateway works.
    case watchdog(period: Duration, GPIODrive)
}

/// How an output drives its wire; the raw value is its word.
package enum GPIODrive: String, CaseIterable, Sendable {
    case pushPull = "push-pull"
    case openDrain = "open-drain"
    case openSource = "open-source"
}

/// A value of a GPIO device.
package struct GPIOPointSettings: Equatable, Sendable {
    package var name: String
    package var unit: String?
    /// Set where it takes commands.
    package var actuator: ActuatorSettings?

    package init(_ name: String, unit: String? = nil) {
        self.name = name
        self.unit = unit
    }
}
