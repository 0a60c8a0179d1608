import CLinux
import Glibc

/// A thread of its own with a name that `top -H` and a debugger show.
package final class NamedThread: Sendable {
    private final class Work {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }

    private let handle: pthread_t

    private init(handle: pthread_t) {
        self.handle = handle
    }

    /// Starts a thread that runs `body` and ends.
    ///
    /// The kernel shows the first fifteen bytes of the name.
    package static func start(
        _ name: String, _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) -> NamedThread {
        var handle = pthread_t()
        let work = Unmanaged.passRetained(Work(body))
        let result = pthread_create(
            &handle, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, work.toOpaque())
        guard result == 0 else {
            work.release()
            throw SystemError(code: result, call: "pthread_create", subject: name)
        }
        clinux_name_thread(handle, name)
        return NamedThread(handle: handle)
    }

    /// Starts a thread that nobody waits for.
    package static func startDetached(_ name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let thread = try start(name, body)
        // It fails only for a thread that was joined or detached before.
        _ = pthread_detach(thread.handle)
    }

    /// Lets other threads go first when there is not enough for all; the calling thread can't take it back.
    ///
    /// A niceness of 10 leaves it a tenth of what an ordinary thread gets beside it, one of 5 a third.
    package static func stepBack(niceness: CInt = 10) {
        clinux_nice_thread(niceness)
    }

    /// A number that tells threads apart.
    static var currentID: UInt { UInt(pthread_self()) }

    /// Waits for its end; call it once.
    package func join() {
        pthread_join(handle, nil)
    }
}
