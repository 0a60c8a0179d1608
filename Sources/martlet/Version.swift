import Readings

/// What `--version` says, and `$SYS/broker/version`.
enum Version {
    static let current = "0.1.0"
    /// 2025-01-01: a clock that says less has not been set, for no Martlet is as old.
    static let notBefore = Timestamp(milliseconds: 1_735_689_600_000)
}
