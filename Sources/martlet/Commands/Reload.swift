import ArgumentParser
import LinuxIO

/// `martlet reload`: has the running gateway read its configuration again.
struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have the running gateway read its configuration again.",
        discussion: """
            Asks the gateway over its Unix socket, and shows what it answers: everything was applied, or what is wrong \
            and that nothing was changed. SIGHUP does the same without an answer.

            Exit status: 0 when it was applied, 1 when the gateway can't be asked, 2 when the configuration is wrong.

              martlet reload home.yaml
              martlet reload --unix /run/martlet/martlet.sock
            """)

    @OptionGroup var request: GatewayRequest

    func run() throws {
        let answer = try request.ask(
            Requests.reload, "",
            otherwise:
                "Without a Unix socket, send the gateway SIGHUP ('systemctl reload martlet', or kill -HUP and its number) "
                + "and look at its log; or name the socket with --unix")
        StandardOutput.write(answer.text + "\n")
        if !answer.isDone { throw CommandFailure.silent(.usage) }
    }
}
