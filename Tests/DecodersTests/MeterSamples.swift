/// Messages of meters after IEC 62056-21, and a battery's answer.
enum MeterSamples {
    /// Made after the standard; the check character is computed.
    static let readout = readout(
        "0.0.0(12345678)\r\nF.F(00000000)\r\n1.8.0(012345.678*kWh)\r\n1.8.1(010000.000*kWh)1.8.2(002345.678*kWh)\r\n"
            + "2.8.0(000000.100*kWh)\r\n1.8.0*04(011111.111*kWh)\r\n1.6.0(05.123*kW)(2411010915)\r\n32.7.0(230.1*V)\r\n"
    )

    static func readout(_ lines: String) -> [UInt8] {
        let data = Array(lines.utf8) + Array("!\r\n".utf8) + [3]
        return Array("/LGZ4ZMF100AC.M26\r\n".utf8) + [2] + data + [data.reduce(0) { $0 ^ $1 }]
    }

    /// In the form of an EasyMeter Q3D.
    static let push = Array(
        ("/ESY5Q3DB1024 V3.04\r\n\r\n1-0:0.0.0*255(0272031312565)\r\n1-0:1.8.0*255(00052185.7825309*kWh)\r\n"
            + "1-0:2.8.0*255(00019949.3221493*kWh)\r\n1-0:1.7.0*255(002124.86*W)\r\n!\r\n").utf8)

    /// A real answer. [github.com/Kenura-R-Gunarathna/jkbms-esp32, README]
    static let jk = Formats.hex(
        "4E 57 01 06 00 00 00 00 06 00 01 79 15 01 0E D2 02 0E D2 03 0E D2 04 0E D2 05 0E DB 06 0E "
            + "DB 07 0E DB 80 00 1C 81 00 1C 82 00 1C 83 0A 62 84 00 00 85 5A 86 02 87 00 00 89 00 00 00 "
            + "05 8A 00 07 8B 00 00 8C 00 03 8E 0B 7C 8F 07 B6 90 10 68 91 10 54 92 00 03 93 0B 04 94 0B "
            + "22 95 00 03 96 01 2C 97 00 C8 98 01 2C 99 00 19 9A 00 1E 9B 0B B8 9C 00 0A 9D 01 9E 00 64 "
            + "9F 00 50 A0 00 46 A1 00 3C A2 00 14 A3 00 46 A4 00 46 A5 FF EC A6 FF F6 A7 FF EC A8 FF F6 "
            + "A9 07 AA 00 00 00 75 AB 01 AC 01 AD 03 CC AE 01 AF 01 B0 00 0A B1 14 B2 31 32 33 34 35 36 "
            + "00 00 00 00 B3 00 B4 49 6E 70 75 74 20 55 73 B5 32 34 30 37 B6 00 00 08 19 B7 31 31 2E 58 "
            + "41 5F 53 31 31 2E 35 31 5F 5F 5F B8 00 B9 00 00 00 75 BA 49 6E 70 75 74 20 55 73 65 72 64 "
            + "61 4A 4B 5F 42 31 41 38 53 32 30 50 00 C0 01 00 00 00 00 68 00 00 4D 89")
}
