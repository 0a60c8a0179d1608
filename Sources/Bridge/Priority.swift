/// Which messages go first when several wait for the upstream; each keeps its own order.
package enum Priority: UInt8, CaseIterable, Comparable, Sendable {
    case high
    case normal
    case low

    package static func < (left: Priority, right: Priority) -> Bool { left.rawValue > right.rawValue }

    /// The urgent ones first.
    static let urgentFirst: [Priority] = [.high, .normal, .low]
    var index: Int { Int(rawValue) }
}
