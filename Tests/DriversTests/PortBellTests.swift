import LinuxIO
import Synchronization
import Testing

@testable import Drivers

@Suite(.timeLimit(.minutes(1))) struct PortBellTests {
    private let bell = PortBell()
    private let loop: EventLoop

    init() throws {
        loop = try EventLoop(name: "test bell")
    }

    @Test func `a port that comes wakes who waits for one`() async {
        let arrivals = bell.arrivals
        async let woken = bell.sleep(for: .seconds(600), after: arrivals, on: loop)
        // Whether it sleeps already or not yet: it must wake.
        bell.added()
        #expect(await woken)
        loop.stop()
    }

    @Test func `a port that came while another attempt was made is not missed`() async {
        let arrivals = bell.arrivals
        bell.added()
        #expect(await bell.sleep(for: .seconds(600), after: arrivals, on: loop))
        #expect(await bell.sleep(for: .milliseconds(1), after: bell.arrivals, on: loop) == false)
        loop.stop()
    }

    @Test func `only who has the port that goes is told`() {
        let told = Mutex<[String]>([])
        let first = bell.watch("/dev/a") { told.withLock { $0.append("a") } }
        _ = bell.watch("/dev/b") { told.withLock { $0.append("b") } }
        bell.removed("/dev/b")
        bell.unwatch(first)
        bell.removed("/dev/a")
        #expect(told.withLock { $0 } == ["b"])
    }
}
