import Glibc

/// A program that a test runs, and what it prints; Foundation's `Process` waits on run loops, which tests don't have.
final class ChildProcess {
    struct NotStarted: Error, CustomStringConvertible {
        let program: String
        let code: CInt
        var description: String { "\(program): \(String(cString: strerror(code)))" }
    }

    enum Stream: CInt {
        case standardOutput = 1
        case standardError = 2
    }

    private let processID: pid_t
    private var pipe: CInt
    private var isRunning = true

    /// Starts the program; `stream` is read, the other one is thrown away.
    init(_ program: String, _ arguments: [String], reading stream: Stream = .standardOutput) throws {
        var ends: [CInt] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else { throw NotStarted(program: "pipe", code: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for other: CInt in 0...2 where other != stream.rawValue {
            posix_spawn_file_actions_addopen(&actions, other, "/dev/null", O_RDWR, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, ends[1], stream.rawValue)
        // The threads that run tests block signals, and a child would inherit that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var texts: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for text in texts { free(text) } }
        var processID: pid_t = 0
        let code = posix_spawn(&processID, program, &actions, &attributes, &texts, environ)
        Glibc.close(ends[1])
        pipe = ends[0]
        self.processID = processID
        guard code == 0 else {
            isRunning = false
            throw NotStarted(program: program, code: code)
        }
    }

    deinit {
        terminate()
        Glibc.close(pipe)
    }

    /// Reads on until it has printed `word` in what this call reads; false if it ended before.
    func wait(for word: String) -> (found: Bool, text: String) {
        var text = ""
        while !text.contains(word) {
            let more = read()
            guard !more.isEmpty else { return (false, text) }
            text += more
        }
        return (true, text)
    }

    /// Everything that it prints until it ends.
    func output() -> String {
        var text = ""
        while case let more = read(), !more.isEmpty { text += more }
        wait()
        return text
    }

    /// Ends it with SIGTERM and waits for that.
    func terminate() {
        guard isRunning else { return }
        kill(processID, SIGTERM)
        wait()
    }

    private func wait() {
        var status: CInt = 0
        while waitpid(processID, &status, 0) < 0, errno == EINTR {}
        isRunning = false
    }

    private func read() -> String {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.read(pipe, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : ""
    }
}
