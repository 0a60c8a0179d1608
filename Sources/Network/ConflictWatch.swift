import Client
import MQTTCodec

/// Notices that another client has the same client id: then each throws the other out, for ever.
struct ConflictWatch {
    enum Verdict: Equatable {
        /// The server said so.
        case certain
        /// 3.1.1 has no words for it: accepted, and soon closed, again and again.
        case likely
    }

    /// How soon after it was accepted a connection ends that somebody else's connection ends.
    private static let soon: Duration = .seconds(15)
    private static let often = 4

    private var shortOnes = 0

    /// `lasted` is nil for an attempt that was not accepted; nil if nothing speaks for a conflict, or all was said.
    mutating func ended(_ reason: CloseReason, after lasted: Duration?, _ stable: Duration) -> Verdict? {
        if case .server(.sessionTakenOver, _) = reason { return .certain }
        guard let lasted else { return nil }
        guard case .transport = reason, lasted < min(stable, Self.soon) else {
            shortOnes = 0
            return nil
        }
        shortOnes += 1
        return shortOnes == Self.often ? .likely : nil
    }
}
