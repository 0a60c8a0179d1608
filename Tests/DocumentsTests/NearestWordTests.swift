import Documents
import Testing

@Suite struct NearestWordTests {
    private static let words = ["baudrate", "format", "max_registers", "match", "modbus", "eastron-sdm120", "qos"]

    @Test(arguments: [
        ("baud_rate", "baudrate"), ("BaudRate", "baudrate"), ("bauderate", "baudrate"), ("baud", "baudrate"),
        ("fromat", "format"), ("maxregisters", "max_registers"), ("modbu", "modbus"), ("sdm120", "eastron-sdm120"),
        ("qso", "qos"),
    ])
    func `a slip finds its word`(slip: String, word: String) {
        #expect(NearestWord.of(slip, among: Self.words) == word)
    }

    @Test(arguments: ["", "xyz", "temperature", String(repeating: "a", count: 1000)])
    func `something else finds nothing`(text: String) {
        #expect(NearestWord.of(text, among: Self.words) == nil)
    }
}
