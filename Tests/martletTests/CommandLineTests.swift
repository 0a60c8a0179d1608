import ArgumentParser
import MQTTCodec
import Testing

@testable import martlet

@Suite struct CommandLineTests {
    private func parsed<Command>(_ arguments: String...) throws -> Command {
        try #require(try MartletCommand.parseAsRoot(arguments) as? Command)
    }

    @Test func `sub takes mosquitto's letters`() throws {
        let sub: Sub = try parsed(
            "sub", "-h", "broker", "-p", "1884", "-t", "a/#", "-t", "b", "-v", "-C", "3", "-W", "5", "-q", "1", "-u",
            "anna", "-P", "secret", "-i", "panel", "-V", "311")
        #expect(sub.broker.host == "broker")
        #expect(sub.broker.port == 1884)
        #expect(sub.topics == ["a/#", "b"])
        #expect(sub.verbose && sub.count == 3 && sub.timeout == 5)
        #expect(sub.broker.qos == .atLeastOnce)
        #expect(sub.broker.username == "anna" && sub.broker.password == "secret" && sub.broker.id == "panel")
        #expect(sub.broker.mqttVersion == .v311)
    }

    @Test func `pub takes mosquitto's letters`() throws {
        let pub: Pub = try parsed("pub", "-t", "a", "-m", "-5", "-r", "-q", "2", "-V", "mqttv5")
        #expect(pub.topic == "a" && pub.content.message == "-5" && pub.retain)
        #expect(pub.broker.qos == .exactlyOnce && pub.broker.mqttVersion == .v5)
    }

    @Test func `a configuration is given with or without --config, but not twice`() throws {
        let check: Check = try parsed("check", "home.yaml")
        #expect(check.options.path == "home.yaml")
        let run: Run = try parsed("run", "--config", "home.yaml", "--devices", "profiles")
        #expect(run.options.path == "home.yaml" && run.options.devices.devices == "profiles")
        #expect(throws: (any Error).self) { try MartletCommand.parseAsRoot(["check", "a.yaml", "--config", "b.yaml"]) }
    }

    @Test(arguments: [
        ["pub", "-t", "a"], ["pub", "-t", "a", "-m", "x", "-n"], ["pub", "-t", "a/+", "-m", "x"], ["pub", "-m", "x"],
        ["sub", "-t", "a#"], ["sub", "-q", "3"], ["sub", "-V", "6"], ["sub", "-C", "0"], ["fly"], ["replay", "file"],
    ])
    func `a wrong command line is refused`(arguments: [String]) {
        #expect(throws: (any Error).self) { try MartletCommand.parseAsRoot(arguments) }
    }

    @Test func `every command says what it is for`() {
        for command in MartletCommand.configuration.subcommands {
            #expect(!command.configuration.abstract.isEmpty, "\(command)")
        }
    }
}
