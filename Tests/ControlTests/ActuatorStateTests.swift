import Control
import Readings
import Testing

/// An actuator and the answers it gave, by seconds since the beginning.
private struct Bench {
    private let start = ContinuousClock.now
    private let wallStart: Int64 = 1_780_000_000_000
    private let name = Actuators.Name(device: "board", point: "relay")
    private var actuators: Actuators

    init(
        _ accepts: AcceptedValues = .words(["ON", "OFF", "TOGGLE"]),
        _ change: (inout ActuatorSettings) -> Void = { _ in }
    ) {
        var settings = ActuatorSettings(accepts: accepts)
        change(&settings)
        actuators = Actuators([name: settings], at: start)
    }

    mutating func send(_ payload: String, _ seconds: Double = 0, retained: Bool = false) -> [String] {
        let incoming = IncomingCommand(payload: Array(payload.utf8), isRetained: retained)
        return texts(actuators.received(incoming, for: name, at: start + .seconds(seconds), time: time(seconds)))
    }

    mutating func finish(_ outcome: WriteOutcome, _ seconds: Double) -> [String] {
        texts(actuators.written(outcome, to: name, at: start + .seconds(seconds), time: time(seconds)).map(\.action))
    }

    mutating func statusChanged(_ status: DeviceStatus) {
        #expect(actuators.statusChanged(of: name.device, status, at: start).isEmpty)
    }

    mutating func stop() -> [String] { texts(actuators.stop(at: start).map(\.action)) }

    private func time(_ seconds: Double) -> Timestamp {
        Timestamp(milliseconds: wallStart + Int64(seconds * 1000))
    }

    private func texts(_ actions: [ActuatorState.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .write(let value): "write \(value)"
            case .answer(let answer): String(decoding: answer.payload, as: UTF8.self)
            case .moved(let move): String(decoding: move.payload, as: UTF8.self)
            }
        }
    }
}

@Suite struct ActuatorStateTests {
    @Test func `an accepted command is written, and answered when that is done`() {
        var bench = Bench()
        #expect(bench.send(#"{"value":"ON","id":"c1"}"#) == ["write ON"])
        #expect(bench.finish(.done(readBack: nil), 0.012) == [#"{"ok":true,"value":"ON","id":"c1","took":12}"#])
    }

    @Test func `the answer shows what was read back`() {
        var bench = Bench()
        _ = bench.send("TOGGLE")
        #expect(bench.finish(.done(readBack: .text("OFF")), 0.5) == [#"{"ok":true,"value":"OFF","took":500}"#])
    }

    @Test func `a write that failed is answered with its reason`() {
        var bench = Bench()
        _ = bench.send(#"{"value":"ON","id":"c1"}"#)
        #expect(
            bench.finish(.failed(Refusal(.verifyFailed, "read back OFF")), 0.5)
                == [#"{"ok":false,"error":"verify_failed","detail":"read back OFF","id":"c1"}"#])
        #expect(bench.send("ON", 1) == ["write ON"])
    }

    @Test func `a retained command is always refused`() {
        var bench = Bench { $0.maxAge = nil }
        #expect(
            bench.send(#"{"value":"ON","id":"c1"}"#, retained: true) == [
                #"{"ok":false,"error":"rejected_retained","detail":"a retained command would fire again at every "#
                    + #"reconnect; send it without retain","id":"c1"}"#
            ])
    }

    @Test func `a value that is not allowed is answered with those that are`() {
        var bench = Bench()
        #expect(
            bench.send(#"{"value":"on","id":"c1"}"#) == [
                #"{"ok":false,"error":"not_allowed_value","detail":"'on' is not allowed here; allowed: ON, OFF, TOGGLE","#
                    + #""id":"c1"}"#
            ])
    }

    @Test(arguments: ["5", "35", "21.5", "2.1e1"])
    func `a number in the range is written as it was sent`(value: String) {
        var bench = Bench(.numbers(5...35))
        #expect(bench.send(value) == ["write \(value)"])
    }

    @Test(arguments: ["4.9", "35.1", "-6", "ON", "nan", "0x10", "1e400"])
    func `a number outside the range, or no number, is refused`(value: String) {
        var bench = Bench(.numbers(5...35))
        #expect(bench.send(value).first?.contains("not_allowed_value") == true)
        #expect(bench.send(value).first?.contains("a number from 5.0 to 35.0") == true)
    }

    @Test func `an old command is refused with its age`() {
        var bench = Bench()
        #expect(bench.send(#"{"value":"ON","t":1779999990000}"#) == ["write ON"])
        _ = bench.finish(.done(readBack: nil), 0)
        #expect(
            bench.send(#"{"value":"ON","t":1779999940000}"#) == [
                #"{"ok":false,"error":"too_old","detail":"the command is 60 s old; at most 10 s is allowed"}"#
            ])
    }

    @Test func `a command from the future shows that clocks differ`() {
        var bench = Bench()
        #expect(bench.send(#"{"value":"ON","t":1780003600000}"#).first?.contains(#""error":"clock_differs""#) == true)
        #expect(bench.send(#"{"value":"ON","t":1780000005000}"#) == ["write ON"])
    }

    @Test(arguments: [Int64.min, Int64.max, 0])
    func `no time, however absurd, stops it`(time: Int64) {
        var bench = Bench()
        #expect(bench.send(#"{"value":"ON","t":\#(time)}"#).first?.contains(#""ok":false"#) == true)
    }

    @Test func `an offline device is not written to, and the answer says why`() {
        var bench = Bench()
        bench.statusChanged(.offline(.timeout, detail: "unit 1: no answer 3x"))
        #expect(
            bench.send("ON") == [
                #"{"ok":false,"error":"device_offline","detail":"the device is offline (timeout): unit 1: no answer 3x"}"#
            ])
        bench.statusChanged(.online)
        #expect(bench.send("ON") == ["write ON"])
    }

    @Test func `a device not heard of yet may be tried`() {
        var bench = Bench()
        bench.statusChanged(.offline(.starting, detail: ""))
        #expect(bench.send("ON") == ["write ON"])
    }

    @Test func `one command waits, a newer one takes its place, and all are answered`() {
        var bench = Bench()
        #expect(bench.send(#"{"value":"ON","id":"1"}"#) == ["write ON"])
        #expect(bench.send(#"{"value":"OFF","id":"2"}"#, 0.1) == [])
        #expect(
            bench.send(#"{"value":"ON","id":"3"}"#, 0.2) == [
                #"{"ok":false,"error":"superseded","detail":"a newer command came while this one waited","id":"2"}"#
            ])
        #expect(
            bench.finish(.done(readBack: nil), 0.3)
                == [#"{"ok":true,"value":"ON","id":"1","took":300}"#, "write ON"])
        #expect(bench.finish(.done(readBack: nil), 0.5) == [#"{"ok":true,"value":"ON","id":"3","took":300}"#])
        #expect(bench.finish(.done(readBack: nil), 0.6) == [])
    }

    @Test func `a command that waited too long is not carried out any more`() {
        var bench = Bench()
        _ = bench.send("ON")
        _ = bench.send(#"{"value":"OFF","id":"2"}"#, 1)
        let answers = bench.finish(.failed(Refusal(.timeout, "no answer")), 12)
        #expect(answers.count == 2)
        #expect(answers.last?.contains(#""error":"too_old""#) == true)
        #expect(bench.send("ON", 13) == ["write ON"])
    }

    @Test func `a device that went away while a command waited is not written to`() {
        var bench = Bench()
        _ = bench.send("ON")
        _ = bench.send("OFF")
        bench.statusChanged(.offline(.portMissing, detail: "unplugged"))
        #expect(bench.finish(.failed(Refusal(.timeout, "")), 1).last?.contains("port_missing") == true)
    }

    @Test func `more commands than allowed are refused until time has passed`() {
        var bench = Bench { $0.rateLimit = RateLimit(count: 2, period: .seconds(60)) }
        for second in [0.0, 10] {
            #expect(bench.send("ON", second) == ["write ON"])
            _ = bench.finish(.done(readBack: nil), second)
        }
        #expect(
            bench.send("ON", 20)
                == [#"{"ok":false,"error":"rate_limited","detail":"at most 2 commands in 60 s are allowed"}"#])
        #expect(bench.send("ON", 60) == ["write ON"])
    }

    @Test func `a stopping gateway answers the command that waits`() {
        var bench = Bench()
        _ = bench.send("ON")
        _ = bench.send("OFF")
        #expect(bench.stop().first?.contains(#""error":"stopping""#) == true)
        #expect(bench.stop().isEmpty)
        #expect(bench.send("ON").first?.contains(#""error":"stopping""#) == true)
    }

    @Test func `an answer goes where the sender wants it`() {
        let name = Actuators.Name(device: "board", point: "relay")
        var actuators = Actuators([name: ActuatorSettings(accepts: .words(["ON"]))], at: .now)
        let reply = ReplyAddress(topic: Array("replies/1".utf8), correlationData: [1, 2, 3])
        let incoming = IncomingCommand(payload: Array("ON".utf8), isRetained: true, replyTo: reply)
        let actions = actuators.received(incoming, for: name, at: .now, time: Timestamp(milliseconds: 0))
        guard case .answer(let answer)? = actions.first else {
            Issue.record("no answer")
            return
        }
        #expect(answer.replyTo == reply)
        #expect(answer.refusal?.word == .rejectedRetained)
    }

    @Test func `a point that takes no commands answers so`() {
        let incoming = IncomingCommand(payload: Array(#"{"value":"ON","id":"c9"}"#.utf8), isRetained: false)
        #expect(
            String(decoding: incoming.answerNotWritable(point: "main-meter/power").payload, as: UTF8.self)
                == #"{"ok":false,"error":"not_writable","detail":"main-meter/power takes no commands","id":"c9"}"#)
    }
}
