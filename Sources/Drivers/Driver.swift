import Control
import LinuxIO
import Profiles
import Readings
import Settings

/// The ways to run devices.
enum Driver: Sendable {
    case modbus(ModbusDriver)
    case stream(StreamDriver)
    case lines(GPIODriver)
    case cover(CoverDriver)
    case stepper(StepperDriver)
    case pulseWidth(PWMDriver)
    case files(FileDriver)

    /// Runs until its task is cancelled.
    func run() async {
        switch self {
        case .modbus(let driver): await driver.run()
        case .stream(let driver): await driver.run()
        case .lines(let driver): await driver.run()
        case .cover(let driver): await driver.run()
        case .stepper(let driver): await driver.run()
        case .pulseWidth(let driver): await driver.run()
        case .files(let driver): await driver.run()
        }
    }

    /// Writes a word to a point of one of its devices.
    func write(_ word: String, to point: String, of device: String) async -> WriteOutcome {
        switch self {
        case .modbus(let driver): await driver.write(word, to: point, of: device)
        case .stream, .files: .failed(Refusal(.notWritable, "\(device) only speaks; it takes no commands"))
        case .lines(let driver): await driver.write(word, to: point)
        case .cover(let driver): await driver.write(word, to: point)
        case .stepper(let driver): await driver.write(word, to: point)
        case .pulseWidth(let driver): await driver.write(word, to: point)
        }
    }
}
