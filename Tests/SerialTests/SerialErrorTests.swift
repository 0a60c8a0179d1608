import LinuxIO
import Testing

@testable import Serial

@Suite struct SerialErrorTests {
    private func text(_ reason: SerialError.Reason) -> String {
        SerialError(port: "/dev/ttyUSB0", reason: reason).description
    }

    @Test func `each reason says what to do`() {
        #expect(
            text(.noPermission(group: "dialout"))
                == "no permission to open /dev/ttyUSB0: add the user to the group dialout")
        #expect(text(.noPermission(group: nil)) == "no permission to open /dev/ttyUSB0")
        #expect(
            text(.inUse(by: PortHolder(process: 812, name: "minicom")))
                == "/dev/ttyUSB0 is in use by minicom (process 812); stop it, or give Martlet another port")
        #expect(
            text(.baudRefused(asked: 76_800, got: 115_200))
                == "/dev/ttyUSB0 can't do 76800 baud, its driver gives 115200; "
                + "set `baudrate` to a speed that both ends have")
        #expect(text(.formatRefused(asked: "7E1", got: "8N1")).hasPrefix("/dev/ttyUSB0 can't do 7E1, its driver gives"))
        #expect(text(.flowRefused) == "/dev/ttyUSB0 can't do that flow control; set `flow: none`")
        let cause = SystemError(code: 5, call: "TCSETS2")
        #expect(text(.failed(cause)) == "/dev/ttyUSB0 can't be used: TCSETS2: Input/output error")
    }

    @Test func `a line is written as people write it`() {
        var line = LineSettings(baud: 9600)
        #expect(line.description == "9600 baud 8N1")
        #expect(line.byteTime == .nanoseconds(1_041_666))
        (line.dataBits, line.parity, line.stopBits) = (7, .even, 2)
        #expect(line.description == "9600 baud 7E2")
        #expect(line.bitsPerByte == 11)
    }
}
