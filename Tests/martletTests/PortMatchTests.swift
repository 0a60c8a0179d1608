import Serial
import Testing

@testable import martlet

@Suite struct PortMatchTests {
    private func port(_ path: String, usb: String?, serial: String? = nil, socket: String? = nil) -> PortInfo {
        var port = PortInfo(path: path)
        port.usb = usb
        port.serial = serial
        port.socket = socket
        return port
    }

    @Test func `a serial number is enough where no other adapter has it`() throws {
        let one = port("/dev/ttyUSB0", usb: "0403:6001", serial: "A50285BI", socket: "usb-0:1.3:1.0")
        let other = port("/dev/ttyUSB1", usb: "0403:6001", serial: "A50285BJ", socket: "usb-0:1.4:1.0")
        let match = try #require(PortMatch(one, among: [one, other]))
        #expect(match.text == #"{ usb: "0403:6001", serial: "A50285BI" }"#)
    }

    @Test func `adapters that share a serial number are told apart by their socket`() throws {
        let one = port("/dev/ttyUSB0", usb: "10c4:ea60", serial: "0001", socket: "usb-0:1.3:1.0")
        let other = port("/dev/ttyUSB1", usb: "10c4:ea60", serial: "0001", socket: "usb-0:1.4:1.0")
        let match = try #require(PortMatch(one, among: [one, other]))
        #expect(match.text == #"{ usb: "10c4:ea60", serial: "0001", path: "usb-0:1.3:1.0" }"#)
    }

    @Test func `the ports of one adapter are told apart by their interface, in whichever socket it is`() throws {
        let ports = (0..<4).map { number in
            var one = port("/dev/ttyUSB\(number)", usb: "0403:6011", serial: "FT4232", socket: "usb-0:1.3:1.\(number)")
            one.interface = number
            return one
        }
        for (number, one) in ports.enumerated() {
            let match = try #require(PortMatch(one, among: ports))
            #expect(match.text == #"{ usb: "0403:6011", serial: "FT4232", interface: \#(number) }"#)
            #expect(try match.identity.find(among: ports) == one)
        }
    }

    @Test func `two adapters with one serial number and the same interface are told apart by their socket`() throws {
        let ports = (0..<2).map { number in
            var one = port("/dev/ttyUSB\(number)", usb: "10c4:ea60", serial: "0001", socket: "usb-0:1.\(number):1.0")
            one.interface = 0
            return one
        }
        let match = try #require(PortMatch(ports[1], among: ports))
        #expect(match.text == #"{ usb: "10c4:ea60", serial: "0001", path: "usb-0:1.1:1.0" }"#)
    }

    @Test func `an adapter without a serial number is named by its socket`() throws {
        let one = port("/dev/ttyUSB0", usb: "1a86:7523", socket: "usb-0:1.3:1.0")
        let match = try #require(PortMatch(one, among: [one]))
        #expect(match.text == #"{ usb: "1a86:7523", path: "usb-0:1.3:1.0" }"#)
    }

    @Test func `a port that is not on USB has no identity`() {
        let one = port("/dev/ttyS0", usb: nil)
        #expect(PortMatch(one, among: [one]) == nil)
    }
}
