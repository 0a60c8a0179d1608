package import Readings

/// How a driver's write ended.
package enum WriteOutcome: Equatable, Sendable {
    /// Written; with the state that was read back, where the driver read it.
    case done(readBack: Value?)
    case failed(Refusal)
}
