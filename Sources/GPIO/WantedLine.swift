import LinuxIO

/// A line as it is to be used.
package struct WantedLine: Equatable, Sendable {
    package enum Use: Equatable, Sendable {
        case input(InputLine)
        case output(OutputLine)
    }

    package var address: LineAddress
    package var isActiveLow = false
    package var bias = LineBias.asIs
    package var use: Use

    package init(_ address: LineAddress, _ use: Use) {
        self.address = address
        self.use = use
    }

    /// As the kernel wants it.
    func wanted(at offset: Int) -> GPIOWanted {
        var flags: GPIOFlags = isActiveLow ? [.activeLow] : []
        flags.formUnion(bias.flags)
        switch use {
        case .input(let input):
            flags.formUnion(input.flags)
            var wanted = GPIOWanted(offset: offset, flags: flags)
            wanted.debounce = input.debounce
            return wanted
        case .output(let output):
            flags.formUnion(output.drive.flags)
            flags.insert(.output)
            var wanted = GPIOWanted(offset: offset, flags: flags)
            wanted.isActive = output.initial
            return wanted
        }
    }
}

/// What an input tells.
package struct InputLine: Equatable, Sendable {
    package var tellsActive = true
    package var tellsInactive = true
    /// How long a level must stay before the kernel tells of it.
    package var debounce: Duration = .zero
    /// Edges with the time of day, for people; else with the clock that nobody sets.
    package var usesTimeOfDay = false

    package init() {}

    fileprivate var flags: GPIOFlags {
        var flags: GPIOFlags = [.input]
        if tellsActive { flags.insert(.risingEdges) }
        if tellsInactive { flags.insert(.fallingEdges) }
        if usesTimeOfDay, tellsActive || tellsInactive { flags.insert(.realtimeClock) }
        return flags
    }
}

/// What an output does.
package struct OutputLine: Equatable, Sendable {
    package enum Drive: String, CaseIterable, Sendable {
        case pushPull = "push-pull"
        case openDrain = "open-drain"
        case openSource = "open-source"

        fileprivate var flags: GPIOFlags {
            switch self {
            case .pushPull: []
            case .openDrain: [.openDrain]
            case .openSource: [.openSource]
            }
        }
    }

    package var drive = Drive.pushPull
    /// The level that it has from the moment in which it becomes an output.
    package var initial: Bool
    /// The level that is written before the line is given back; nil leaves it.
    package var safe: Bool?

    package init(initial: Bool = false, safe: Bool? = false) {
        self.initial = initial
        self.safe = safe
    }
}

/// The resistor in the chip; the raw value is its word in a configuration.
package enum LineBias: String, CaseIterable, Sendable {
    case asIs = "as-is"
    case off
    case pullUp = "pull-up"
    case pullDown = "pull-down"

    fileprivate var flags: GPIOFlags {
        switch self {
        case .asIs: []
        case .off: [.noBias]
        case .pullUp: [.pullUp]
        case .pullDown: [.pullDown]
        }
    }
}
