import Broker
import Logging
import MQTTCodec
import Network

/// Writes what the broker reports into the log.
struct BrokerReports: Sendable {
    private let logger: Logger

    init(_ logger: Logger) {
        self.logger = logger
    }

    func write(_ report: BrokerReport) {
        switch report {
        case .failed(let what): logger.error("\(what)")
        case .warning(let what): logger.warning("\(what)")
        case .broker(let event): write(event)
        }
    }

    private func write(_ event: BrokerEvent) {
        switch event {
        case .connected(let client, let peer, let version, let sessionPresent):
            let session = sessionPresent ? ", goes on with its session" : ""
            let name = version == .v5 ? "MQTT 5" : version == .v311 ? "MQTT 3.1.1" : "MQTT 3.1"
            logger.debug("'\(client)' connected from \(peer) (\(name)\(session))")
        case .disconnected(let client, let peer, let why):
            logger.debug("'\(client)' from \(peer) is gone: \(why)")
        case .refused(let peer, let why): logger.warning("turned \(peer) away: \(why)")
        case .takenOver(let client, let new, let old):
            logger.info("'\(client)' connected again from \(new); its connection from \(old) ends")
        case .sharedClientID(let client, let peer, let otherPeer, let takeOvers, let isOneAddress):
            let cause =
                isOneAddress
                ? "two programs there share the client id, or one does not close its old connection"
                : "two devices share the client id; give each its own"
            logger.warning(
                "'\(client)' is taken over again and again (\(takeOvers) times), by \(peer) from \(otherPeer): \(cause)"
            )
        case .memory(let pressure, let inUse, let limit): write(pressure, inUse / 1_000_000, limit / 1_000_000)
        case .dropped(let client, let reason, let total): writeDropped(client, reason, total)
        case .journalFailing(let why):
            logger.error("what must be kept is not acknowledged any more, because it can't be: \(why)")
        case .journalRecovered: logger.notice("the disk takes what must be kept again")
        case .journalDamaged(let batches, let why):
            logger.error("journal: \(batches) batches were passed over, all others were used; the first: \(why)")
        case .journalLoaded(let sessions, let messages, let retained):
            guard sessions + messages > 0 else { return }
            let session = "\(sessions) session\(sessions == 1 ? "" : "s")"
            let message = "\(messages) message\(messages == 1 ? "" : "s")"
            logger.info("goes on with \(session) and \(message) from before, \(retained) retained")
        }
    }

    private func writeDropped(_ client: String, _ reason: DropReason, _ total: Int) {
        let missed = "'\(client)' has missed \(total) message\(total == 1 ? "" : "s")"
        switch reason {
        case .queueFull: logger.warning("\(missed): it reads too slowly, and its queue is full")
        case .memory: logger.warning("\(missed): the broker holds as much as it may (broker.limits.memory)")
        case .tooLarge: logger.warning("\(missed): it takes no packets of that size")
        case .expired: logger.info("\(missed): they waited until they expired")
        case .notAllowed, .offlineQoS0: logger.debug("\(missed): \(reason.name)")
        }
    }

    private func write(_ pressure: MemoryPressure, _ inUse: Int, _ limit: Int) {
        let share = "messages take \(inUse) MB of the \(limit) MB that broker.limits.memory allows"
        switch pressure {
        case .none: logger.notice("\(share): everything is taken again")
        case .refusesRetained: logger.warning("\(share): topics that were not retained yet are refused")
        case .shortensQueues: logger.warning("\(share): the longest queues are shortened")
        case .refusesClients: logger.error("\(share): new clients are refused")
        }
    }
}
