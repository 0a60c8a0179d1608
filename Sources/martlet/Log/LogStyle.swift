import LinuxIO

/// How log lines look where they go.
enum LogStyle: Equatable {
    /// The journal adds the time by itself, and reads the level from the front where it gets no fields.
    case journal
    /// A file or a pipe.
    case plain
    /// A person looks at it.
    case terminal

    /// What suits the place that the standard error output goes to.
    static func suiting(_ environment: ProcessEnvironment) -> LogStyle {
        if environment.isUnderSystemd, !StandardError.isTerminal { return .journal }
        let mayColour = environment["NO_COLOR"] == nil && environment["TERM"] != "dumb"
        return StandardError.isTerminal && mayColour ? .terminal : .plain
    }
}
