import Testing

@testable import Serial

@Suite struct PortIdentityTests {
    private static func port(_ path: String, _ usb: String?, _ serial: String?, _ socket: String?) -> PortInfo {
        var port = PortInfo(path: path)
        (port.usb, port.serial, port.socket) = (usb, serial, socket)
        return port
    }

    private let ports = [
        port("/dev/ttyUSB0", "0403:6001", "A50285BI", "pci-0000:00:14.0-usb-0:1.1:1.0"),
        port("/dev/ttyUSB1", "0403:6001", "P1-2208", "pci-0000:00:14.0-usb-0:1.2:1.0"),
        port("/dev/ttyUSB2", "1a86:7523", nil, "pci-0000:00:14.0-usb-0:1.3:1.0"),
        port("/dev/ttyUSB3", "1a86:7523", nil, "pci-0000:00:14.0-usb-0:1.4:1.0"),
        port("/dev/ttyS0", nil, nil, nil),
    ]

    private func failure(_ identity: PortIdentity, _ ports: [PortInfo]) -> SerialError? {
        do throws(SerialError) {
            _ = try identity.find(among: ports)
            return nil
        } catch {
            return error
        }
    }

    @Test func `USB id and serial number find the one adapter`() throws {
        #expect(try PortIdentity(usb: "0403:6001", serial: "P1-2208").find(among: ports).path == "/dev/ttyUSB1")
        #expect(try PortIdentity(serial: "A50285BI").find(among: ports).path == "/dev/ttyUSB0")
    }

    @Test func `an adapter without a serial number is found by its socket`() throws {
        let identity = PortIdentity(usb: "1A86:7523", path: "*-usb-0:1.3:1.0")
        #expect(try identity.find(among: ports).path == "/dev/ttyUSB2")
    }

    @Test func `two that match are refused with both named`() throws {
        let error = try #require(failure(PortIdentity(usb: "1a86:7523"), ports))
        #expect(error.reason == .ambiguous([ports[2], ports[3]]))
        #expect(
            error.description
                == "several ports match usb 1a86:7523: add `path:` to choose one; candidates are "
                + "/dev/ttyUSB2 (usb 1a86:7523, path pci-0000:00:14.0-usb-0:1.3:1.0), "
                + "/dev/ttyUSB3 (usb 1a86:7523, path pci-0000:00:14.0-usb-0:1.4:1.0)")
    }

    @Test func `the key that is named is one in which they differ`() {
        func key(_ change: (inout PortInfo, Int) -> Void) -> String {
            let ports = (0..<2).map { number in
                var port = PortInfo(path: "/dev/ttyUSB\(number)")
                (port.usb, port.socket) = ("0403:6011", "usb-0:1:1.\(number)")
                change(&port, number)
                return port
            }
            return SerialError(port: "it", reason: .ambiguous(ports)).description
        }
        #expect(key { port, number in port.serial = "A\(number)" }.contains("add `serial:`"))
        #expect(
            key { port, number in
                port.serial = "A"
                port.interface = number
            }.contains("add `interface:`"))
        #expect(key { port, number in port.interface = number }.contains("add `path:`"))
    }

    @Test func `none that matches lists what is there`() throws {
        let error = try #require(failure(PortIdentity(usb: "2341:0043"), [ports[4]]))
        #expect(error.isMissing)
        #expect(error.description == "no port matches usb 2341:0043; there are /dev/ttyS0")
        let empty = try #require(failure(PortIdentity(usb: "2341:0043", serial: "1"), []))
        #expect(empty.description == "no port matches usb 2341:0043, serial 1; no serial port is there")
    }

    @Test func `an identity without a word matches everything`() {
        #expect(ports.allSatisfy(PortIdentity().matches))
    }

    @Test(arguments: [
        ("*", "", true), ("*", "abc", true), ("abc", "abc", true), ("abc", "abcd", false), ("a*c", "abbc", true),
        ("a*c", "abbd", false), ("*b*", "abc", true), ("*-usb-0:1.3:1.0", "x-usb-0:1.3:1.0", true),
        ("*-usb-0:1.3:1.0", "x-usb-0:1.31:1.0", false), ("a*a", "a", false), ("**", "x", true), ("", "", true),
        ("", "a", false), ("*ab", "aab", true), ("*aab*", "aaab", true),
    ])
    func `a star stands for anything`(pattern: String, text: String, matches: Bool) {
        #expect(Wildcard(pattern).matches(text) == matches)
    }
}
