/// A line for the log, from a driver.
package struct DriverLog: Equatable, Sendable {
    package enum Level: Sendable {
        case debug, info, warning, error
    }

    package var level: Level
    package var text: String
}
