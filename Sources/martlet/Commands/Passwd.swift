import Access
import ArgumentParser
import LinuxIO

/// `martlet passwd`: the users of the broker and their passwords.
struct Passwd: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Give a user of the broker a password, or take the user out.",
        discussion: """
            FILE is what 'broker.auth.file' names in the configuration; it is made when it is not there. Other lines \
            in it stay as they are, mosquitto's too.

            On a terminal the password is asked for, twice; else it is the first line of the standard input. It is \
            never an argument, since everybody on a machine can see those.

              martlet passwd /etc/martlet/users anna
              pwgen -s 24 1 | tee anna.txt | martlet passwd /etc/martlet/users anna
              martlet passwd --delete /etc/martlet/users anna
            """)

    @Argument(help: "The file with the users.")
    var file: String

    @Argument(help: "The user's name.")
    var user: String

    @Flag(name: [.short, .customShort("D"), .long], help: "Take the user out.")
    var delete = false

    @Flag(help: "Read the password from the standard input, on a terminal too.")
    var batch = false

    @Option(help: "How much work it is to check the password, for us and for who guesses.")
    var iterations = ScramCredentials.usualIterations

    func validate() throws {
        // RFC 7677 wants clients to refuse fewer.
        guard (4096...PasswordRecord.iterationLimit).contains(iterations) else {
            throw ValidationError("--iterations is a number from 4096 to \(PasswordRecord.iterationLimit)")
        }
    }

    func run() throws {
        if let objection = PasswordFile.objection(to: user) { throw CommandFailure(objection, status: .usage) }
        let isNew = !File.exists(file)
        var users = PasswordFile(isNew ? "" : try TextFile.read(file))
        for problem in users.problems where !problem.message.hasPrefix("'\(user)'") {
            StandardError.write("\(file):\(problem.line): warning: \(problem.message)\n  \(problem.hint)\n")
        }
        let outcome = delete ? try remove(from: &users) : try setPassword(in: &users)
        // The package gives /etc/martlet to the gateway's group, and with it whatever is made there.
        let isForItsGroup = File.passesOnItsGroup(ProfileFolders.folder(of: file))
        do throws(SystemError) {
            try File.replace(file, with: Array(users.text.utf8), mode: isForItsGroup ? 0o640 : 0o600)
        } catch {
            throw CommandFailure("\(error)")
        }
        StandardError.write("\(outcome); a gateway that runs already knows it after 'martlet reload'\n")
        if isNew, !isForItsGroup {
            StandardError.write("\(file) is new: the gateway's user must be allowed to read it\n")
        }
    }

    private func remove(from users: inout PasswordFile) throws(CommandFailure) -> String {
        guard users.remove(user) else { throw CommandFailure("there is no user '\(user)' in \(file)") }
        return "'\(user)' is gone"
    }

    private func setPassword(in users: inout PasswordFile) throws(CommandFailure) -> String {
        let password = try password()
        guard let salt = Entropy.bytes(ScramCredentials.saltLength) else {
            throw CommandFailure("the kernel gives no random bytes")
        }
        let credentials = ScramCredentials(password: password, salt: salt, iterations: iterations)
        return users.set(user, .scram(credentials)) ? "'\(user)' has another password" : "'\(user)' can log in"
    }

    private func password() throws(CommandFailure) -> [UInt8] {
        let password: [UInt8]?
        do throws(SystemError) {
            password = batch || !StandardInput.isTerminal ? try Self.line() : try Self.asked(for: user)
        } catch {
            throw CommandFailure("\(error)")
        }
        guard let password, !password.isEmpty else { throw CommandFailure("no password: nothing was changed") }
        guard password.count <= 1024 else { throw CommandFailure("a password has 1024 bytes at most") }
        return password
    }

    /// The first line of the standard input.
    private static func line() throws(SystemError) -> [UInt8]? {
        var line: [UInt8] = []
        while !line.contains(UInt8(ascii: "\n")), line.count <= 4096 {
            let more = try StandardInput.read(upTo: 4096)
            if more.isEmpty { break }
            line += more
        }
        let end = line.firstIndex(of: UInt8(ascii: "\n")) ?? line.endIndex
        return line[..<end].last == UInt8(ascii: "\r") ? Array(line[..<(end - 1)]) : Array(line[..<end])
    }

    /// What the person at the terminal types twice.
    private static func asked(for user: String) throws(SystemError) -> [UInt8]? {
        while true {
            guard let first = try Terminal.askSecretly("Password for '\(user)': "), !first.isEmpty,
                let second = try Terminal.askSecretly("Once more: ")
            else { return nil }
            if first == second { return first }
            StandardError.write("These were two different ones. Again:\n")
        }
    }
}
