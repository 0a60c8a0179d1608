import Client
import LinuxIO
import Logging
import MQTTCodec
import Network
import Synchronization

/// Answers what is asked of the gateway on `$martlet/request/…`: MQTT 5 requests with a Response Topic.
///
/// The broker lets only those ask that may (`BrokerState.mayRequest`).
final class Requests: Sendable {
    static let reload = "$martlet/request/reload"
    private static let filter = Array("$martlet/request/#".utf8)
    private static let answers = Array("$martlet/answer/".utf8)

    /// Where its own events find the client.
    private final class Place: Sendable {
        let client = Mutex<LocalClient?>(nil)

        func publish(_ answer: Publish) {
            let known = client.withLock { client in client }
            known?.publish(answer)
        }
    }

    private let client: LocalClient

    init(
        _ broker: BrokerServer, on loop: EventLoop, reloader: Reloader, buffers: BufferRequests, logger: Logger
    ) {
        let place = Place()
        client = LocalClient(broker, name: "requests", schedule: { work in loop.execute(work) }) { event in
            guard case .message(let message, _) = event else { return }
            Self.handle(message, reloader, buffers, logger) { place.publish($0) }
        }
        let known = client
        place.client.withLock { client in client = known }
        client.subscribe([Subscribe.Request(filter: Self.filter, qos: .atLeastOnce)])
    }

    func close() { client.close() }

    private static func handle(
        _ message: Publish, _ reloader: Reloader, _ buffers: BufferRequests, _ logger: Logger,
        answer: @escaping @Sendable (Publish) -> Void
    ) {
        // A retained request would be one of who knows when.
        guard !message.retain, let work = work(for: message, reloader, buffers) else { return }
        let reply = message.properties[bytes: .responseTopic]
        let correlation = message.properties[bytes: .correlationData]
        do throws(SystemError) {
            // Files are read, passwords may be asked for and other loops waited for: not on the devices' loop.
            _ = try NamedThread.start("request") {
                let outcome = work()
                guard let reply, reply.starts(with: answers) else { return }
                var response = Publish(
                    topic: reply, payload: Array("\(outcome.isDone ? "ok" : "error")\n\(outcome.text)".utf8),
                    qos: .atLeastOnce)
                response.properties[bytes: .correlationData] = correlation
                answer(response)
            }
        } catch {
            logger.error("a request can't be answered: \(error)")
        }
    }

    private static func work(
        for message: Publish, _ reloader: Reloader, _ buffers: BufferRequests
    ) -> (@Sendable () -> (isDone: Bool, text: String))? {
        switch String(decoding: message.topic, as: UTF8.self) {
        case reload:
            return {
                let outcome = reloader.reload()
                return (outcome.isDone, outcome.text)
            }
        case BufferRequests.topic:
            let request = String(decoding: message.payload, as: UTF8.self)
            return { buffers.answer(request) }
        default: return nil
        }
    }
}
