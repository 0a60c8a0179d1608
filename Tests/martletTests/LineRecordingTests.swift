import Testing

@testable import martlet

@Suite struct LineRecordingTests {
    private static let text = """
        # martlet recording 1: /dev/ttyUSB0, 9600 baud 8N1, 2026-03-01T07:30:00.123+01:00
        0.000 < 01 04 00
        # a note
        1.031 > FF

        """

    @Test func `what was written is read again`() throws {
        let recording = try #require(LineRecording(Self.text))
        #expect(
            recording.pieces == [
                LineRecording.Piece(at: .zero, bytes: [1, 4, 0]),
                LineRecording.Piece(at: .milliseconds(1_031), isOther: true, bytes: [0xFF]),
            ])
        #expect(recording.pieces.map(\.text) == ["0.000 < 01 04 00\n", "1.031 > FF\n"])
    }

    @Test(arguments: [
        "", "01 04 00", "# martlet recording 1\nx < 01", "# martlet recording 1\n0.1 ? 01",
        "# martlet recording 1\n0.1 < 0",
        "# martlet recording 1\n-1 < 01", "# martlet recording 1\n1e99 < 01",
    ])
    func `what is no recording is none`(text: String) {
        #expect(LineRecording(text) == nil)
    }
}
