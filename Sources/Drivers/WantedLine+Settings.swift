import Control
import Decoders
import GPIO
import Settings

extension GPIODeviceSettings {
    var debounce: Duration {
        if case .input(_, let debounce, _, _) = use { debounce } else { .zero }
    }
}

extension WantedLine {
    /// A line as the configuration says it; `debounces` leaves bouncing to the kernel.
    init(_ line: GPIOLineSettings, _ device: GPIODeviceSettings, debounces: Bool) {
        let address = LineAddress(line.address)
        switch device.use {
        case .input(let function, let debounce, _, _):
            var input = InputLine()
            input.debounce = debounces ? debounce : .zero
            input.tellsInactive = function.needsInactive || !debounces
            self.init(address, .input(input))
        case .output(let drive):
            let safety = device.points.first?.actuator?.safety
            var output = OutputLine(initial: safety?.initial == "ON", safe: safety?.safe.map { $0 == "ON" })
            output.drive = OutputLine.Drive(drive)
            self.init(address, .output(output))
        case .cover(_, let drive, let debounce):
            self.init(line, drive, debounce: debounce, isRelay: false)
        case .pwm, .stepper: self.init(address, .input(InputLine()))
        case .watchdog(_, let drive):
            var output = OutputLine(initial: false, safe: false)
            output.drive = OutputLine.Drive(drive)
            self.init(address, .output(output))
        }
        wire(as: line)
    }

    /// A line of a cover: a relay, which is off at first and when it is let go, or an end contact.
    init(_ line: GPIOLineSettings, _ drive: GPIODrive, debounce: Duration, isRelay: Bool) {
        if isRelay {
            var output = OutputLine(initial: false, safe: false)
            output.drive = OutputLine.Drive(drive)
            self.init(LineAddress(line.address), .output(output))
        } else {
            var input = InputLine()
            input.debounce = debounce
            self.init(LineAddress(line.address), .input(input))
        }
        wire(as: line)
    }

    private mutating func wire(as line: GPIOLineSettings) {
        isActiveLow = line.isActiveLow
        bias =
            switch line.bias {
            case .asIs: .asIs
            case .off: .off
            case .pullUp: .pullUp
            case .pullDown: .pullDown
            }
    }
}

extension LineAddress {
    fileprivate init(_ address: GPIOLineSettings.Address) {
        self =
            switch address {
            case .named(let name): .named(name)
            case .labelled(let chip, let offset): .labelled(chip: chip, offset: offset)
            }
    }
}

extension OutputLine.Drive {
    fileprivate init(_ drive: GPIODrive) {
        self =
            switch drive {
            case .pushPull: .pushPull
            case .openDrain: .openDrain
            case .openSource: .openSource
            }
    }
}

extension LineFunction {
    /// Pulses that count when they begin need no end.
    fileprivate var needsInactive: Bool {
        switch self {
        case .counter(let settings): settings.minimumPulse > .zero
        case .frequency: false
        case .level, .button, .encoder: true
        }
    }
}
