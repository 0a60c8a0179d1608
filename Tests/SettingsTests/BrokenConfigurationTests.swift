import Documents
import Testing

/// What people read who got something wrong; each file is a story, each text must be enough to mend it.
@Suite struct BrokenConfigurationTests {
    /// Everything that is told about a whole file.
    private func told(_ text: String) throws -> String {
        let (settings, problems) = try configuration(text)
        #expect(settings == nil)
        return problems.map(\.description).joined(separator: "\n")
    }

    @Test func `one - a tab from another editor`() throws {
        let expected = """
            martlet.yaml:3:1: error: a tab is used for indentation
                 id: pi-garage
                ^
              use spaces; YAML does not allow tabs there
            """
        #expect(try told("version: 1\ngateway:\n\tid: pi-garage\n") == expected)
    }

    @Test func `two - keys as other programs spell them`() throws {
        let text = """
            version: 1
            gateway: { id: pi-garage }
            ports:
              meterbus:
                device: /dev/serial0
                baud_rate: 9600
                stop_bits: 1
            devices:
              meter:
                type: eastron-sdm120
                port: meterbus
                slave_id: 1
            """
        let count = try Repository.profiles().count
        let device = "expiry, name, payload, points, poll, port, profile, qos, report, retain, stale_after, unit"
        let expected = """
            martlet.yaml:6:5: error: unknown key 'baud_rate' in 'ports.meterbus'
                    baud_rate: 9600
                    ^
              did you mean 'baudrate'? allowed here: baudrate, device, dtr, flow, format, match, modbus, rs485, simulate, tcp
            martlet.yaml:7:5: error: unknown key 'stop_bits' in 'ports.meterbus'
                    stop_bits: 1
                    ^
              did you mean 'format'? allowed here: baudrate, device, dtr, flow, format, match, modbus, rs485, simulate, tcp
            martlet.yaml:9:3: error: 'profile' is missing in 'devices.meter'
                  meter:
                  ^
              it says what the device is; 'martlet profile list' shows the \(count) there are
            martlet.yaml:10:5: error: unknown key 'type' in 'devices.meter'
                    type: eastron-sdm120
                    ^
              did you mean 'profile'? allowed here: \(device)
            martlet.yaml:12:5: error: unknown key 'slave_id' in 'devices.meter'
                    slave_id: 1
                    ^
              did you mean 'unit'? allowed here: \(device)
            """
        #expect(try told(text) == expected)
    }

    @Test func `three - slips of the pen in names`() throws {
        let text = """
            version: 1
            gateway: { id: pi-garage }
            ports:
              meterbus: { simulate: eastron-sdm120 }
            devices:
              meter:
                profile: eastron-sdm12
                port: meterbuss
              other:
                profile: eastron-sdm120
                port: meterbus
                points: { volage: off }
            """
        let count = try Repository.profiles().count
        let expected = """
            martlet.yaml:7:14: error: there is no profile 'eastron-sdm12'
                    profile: eastron-sdm12
                             ^
              did you mean 'eastron-sdm120'? 'martlet profile list' shows the \(count) there are
            martlet.yaml:8:11: error: there is no port 'meterbuss'
                    port: meterbuss
                          ^
              did you mean 'meterbus'? there are: meterbus
            martlet.yaml:12:15: error: profile 'eastron-sdm120' has no point 'volage'
                    points: { volage: off }
                              ^
              did you mean 'voltage'? it has: voltage, current, power, apparent_power, reactive_power, power_factor, \
            frequency, import_energy, export_energy, total_energy
            """
        #expect(try told(text) == expected)
    }

    @Test func `four - times and sizes without a unit`() throws {
        let text = """
            version: 1
            gateway: { id: pi-garage }
            defaults: { stale_after: 3, expiry: 1 hour }
            broker:
              limits: { max_packet_size: 2 }
              sys_interval: 10
            """
        let expected = """
            martlet.yaml:3:26: error: '3' is not allowed for 'stale_after'
                defaults: { stale_after: 3, expiry: 1 hour }
                                         ^
              write how often to wait for the usual interval (3x), a time with its unit (90s), or never
            martlet.yaml:3:37: error: '1 hour' is not allowed for 'expiry'
                defaults: { stale_after: 3, expiry: 1 hour }
                                                    ^
              write a time with its unit (300ms, 20s, 5m, 1h, 14d) or 'never'
            martlet.yaml:5:30: error: '2' has no unit
                  limits: { max_packet_size: 2 }
                                             ^
              write a size with its unit: 64KB, 512MB or 2GB; 2MB perhaps?
            martlet.yaml:6:17: error: '10' has no unit
                  sys_interval: 10
                                ^
              write a time with its unit: 300ms, 20s, 5m, 1h or 14d; 10s perhaps?
            """
        #expect(try told(text) == expected)
    }

    @Test func `five - a broker open to the network by accident`() throws {
        let text = """
            version: 1
            gateway: { id: pi-garage }
            broker:
              listen:
                - { address: 0.0.0.0, port: 1883 }
                - { address: localhost }
            """
        let expected = """
            martlet.yaml:5:18: error: nobody could connect to 0.0.0.0: there are no users
                    - { address: 0.0.0.0, port: 1883 }
                                 ^
              make users with 'martlet passwd' and name their file in 'broker.auth': auth: { file: /etc/martlet/users }; \
            or listen on 127.0.0.1
            martlet.yaml:6:18: error: 'localhost' is not allowed for 'address'
                    - { address: localhost }
                                 ^
              write a numeric address: 127.0.0.1 for this machine only, 0.0.0.0 for all of its networks
            """
        #expect(try told(text) == expected)
    }

    @Test func `six - two devices with one number, and a meter that speaks unasked among them`() throws {
        let text = """
            version: 1
            gateway: { id: pi-garage }
            ports:
              bus: { match: { usb: "0403:6001" }, baudrate: 9600 }
              spare: { match: { usb: "0403:6001" } }
            devices:
              one: { profile: eastron-sdm120, port: bus }
              two: { profile: eastron-sdm630, port: bus }
              house: { profile: dsmr-p1, port: bus }
            """
        let expected = """
            martlet.yaml:5:3: error: ports 'bus' and 'spare' match the same device
                  spare: { match: { usb: "0403:6001" } }
                  ^
              tell them apart with serial: "…" or path: "…" in match; 'martlet ports' shows both
            martlet.yaml:5:3: warning: no device is on port 'spare'
                  spare: { match: { usb: "0403:6001" } }
                  ^
              add one below 'devices:' with 'port: spare', or take the port out
            martlet.yaml:8:3: error: 'one' and 'two' are both unit 1 on port 'bus'
                  two: { profile: eastron-sdm630, port: bus }
                  ^
              every Modbus device on a bus needs its own: set it in the device, then as 'unit:' here
            martlet.yaml:9:36: error: 'one' and 'house' can't share port 'bus': 'house' speaks unasked
                  house: { profile: dsmr-p1, port: bus }
                                                   ^
              give each a port of its own
            """
        #expect(try told(text) == expected)
    }

    @Test func `seven - topics without quotes`() throws {
        let expected = """
            martlet.yaml:4:19: error: there is more text after the closing '}'
                  state: {gateway}/{device}/{point}
                                  ^
              a text that begins with '{' or '[' needs quotes: "{gateway}/power"
            """
        let text = """
            version: 1
            gateway: { id: pi-garage }
            topics:
              state: {gateway}/{device}/{point}
            """
        #expect(try told(text) == expected)
    }

    @Test func `eight - topics that do not work out`() throws {
        let text = """
            version: 1
            gateway: { id: pi-garage }
            ports: { bus: { simulate: eastron-sdm120 } }
            devices: { meter: { profile: eastron-sdm120, port: bus } }
            topics:
              state: "{gateway}/{devise}/{point}"
              availability: "{gateway}/+/online"
              rules:
                - select: { point: "import_*|export_*" }
                  state: "{gateway}/energy"
            """
        let expected = """
            martlet.yaml:6:21: error: {devise} is not known here; use one of {gateway} {device} {point} {class} {phase} \
            {quantity} {unit}
                  state: "{gateway}/{devise}/{point}"
                                    ^
              did you mean '{device}'?
            martlet.yaml:7:28: error: '+' is not allowed in a topic that is published to
                  availability: "{gateway}/+/online"
                                           ^
            martlet.yaml:9:7: error: meter/import_energy and meter/export_energy would both be published on 'pi-garage/energy'
                    - select: { point: "import_*|export_*" }
                      ^
              let the template contain what tells them apart: {device}, {point}
            """
        #expect(try told(text) == expected)
    }

    @Test func `nine - an upstream that can't be reached`() throws {
        let text = """
            version: 1
            gateway: { id: pi-garage }
            upstream:
              central:
                url: tcp://mqtt.example.org:1883
                username: site-17
                password: !secret centrl_password
                out:
                  - { filter: "pi-garage/#/power", to: "sites/17/{topic}" }
                in:
                  - { filter: "sites/17/#", to: "{topc}" }
            """
        let expected = """
            martlet.yaml:5:10: error: 'tcp://' is not known
                    url: tcp://mqtt.example.org:1883
                         ^
              write 'mqtt://' instead
            martlet.yaml:7:15: error: there is no secret 'centrl_password'
                    password: !secret centrl_password
                              ^
              write 'centrl_password: …' into secrets.yaml beside this file, or set $MARTLET_SECRET_CENTRL_PASSWORD
            martlet.yaml:9:19: error: 'pi-garage/#/power' is not a topic filter: '#' must be the last level
                      - { filter: "pi-garage/#/power", to: "sites/17/{topic}" }
                                  ^
              '+' stands for one level: site/+/power
            martlet.yaml:11:37: error: '{topc}' can't be used for 'to'
                      - { filter: "sites/17/#", to: "{topc}" }
                                                    ^
              {topc} is not known; {topic}, {topic:2}, {topic:2..}, {1} and {gateway} are
            """
        #expect(try told(text) == expected)
    }

    @Test func `ten - a file for a later Martlet`() throws {
        let text = """
            version: 2
            gateway: { id: Pi Garage, state_dir: data }
            ports:
              bus: { device: COM3, modbus: { mode: rtu-over-tcp } }
            devices:
              arduino: { port: bus, reader: { match: 'T=(?<temp>\\d+)' } }
            homeassistant: { enabled: true }
            """
        let expected = """
            martlet.yaml:1:10: error: version '2' is not known
                version: 2
                         ^
              this Martlet reads version 1: write 'version: 1'
            martlet.yaml:2:16: error: 'Pi Garage' is not allowed for 'id'
                gateway: { id: Pi Garage, state_dir: data }
                               ^
              write lower-case letters, digits and '-', at most 64 of them: 'pi-garage'
            martlet.yaml:2:38: error: 'data' is not allowed for 'state_dir'
                gateway: { id: Pi Garage, state_dir: data }
                                                     ^
              write the path of a folder, from '/' on: '/var/lib/martlet'
            martlet.yaml:4:18: error: 'COM3' is not allowed for 'device'
                  bus: { device: COM3, modbus: { mode: rtu-over-tcp } }
                                 ^
              write a path, like /dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0
            martlet.yaml:4:34: error: 'rtu-over-tcp' is not available in this version yet
                  bus: { device: COM3, modbus: { mode: rtu-over-tcp } }
                                                 ^
              allowed: rtu, ascii, tcp; rtu on a 'tcp:' port speaks RTU frames over the network
            martlet.yaml:6:25: error: 'reader' is not available in this version yet
                  arduino: { port: bus, reader: { match: 'T=(?<temp>\\d+)' } }
                                        ^
              take it out for now
            martlet.yaml:7:1: error: 'homeassistant' is not available in this version yet
                homeassistant: { enabled: true }
                ^
              take it out for now
            """
        #expect(try told(text) == expected)
    }
}
