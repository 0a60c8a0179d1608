/// What `--version` says, and `$SYS/broker/version`.
enum Version {
    static let current = "0.1.0"
}
