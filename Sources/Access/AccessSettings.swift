/// Who may connect, and who may do what: for all listeners, and for those that have settings of their own.
package struct AccessSettings: Equatable, Sendable {
    /// What one listener asks of its clients.
    package struct Policy: Equatable, Sendable {
        /// Nil where there are no users: names that clients give are not looked at.
        package var users: [[UInt8]: PasswordRecord]?
        /// Nil allows everything to everybody who was let in.
        package var rules: AccessRules?

        package init(users: [[UInt8]: PasswordRecord]? = nil, rules: AccessRules? = nil) {
            self.users = users
            self.rules = rules
        }
    }

    package var general = Policy()
    /// By the listener's name for itself.
    package var listeners: [String: Policy] = [:]

    package init() {}

    package func policy(of listener: String) -> Policy {
        listeners[listener] ?? general
    }
}
