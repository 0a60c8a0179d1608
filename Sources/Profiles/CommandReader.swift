import Documents
import Modbus

/// Reads a point's `command`: what may be sent to it, and what is written then.
struct CommandReader {
    /// Where the point's value comes from, if that is known.
    var source: PointSource?
    /// What is taken from addresses as they are written.
    var firstAddress = 0
    var problems: ProblemList

    func read(_ section: Section) -> PointCommand? {
        defer { section.finish() }
        let verifies = section.value("verify", wanted: "read-back or none") { text in
            switch text {
            case "read-back": true
            case "none": false
            default: nil
            }
        }
        guard let write = section.section("write") else {
            problems.error("a command needs 'write'", at: section.mark, hint: "write: { fc: 5, \"ON\": 0xFF00 }")
            return nil
        }
        guard let function = function(write) else { return nil }
        let address = address(write)
        let values = write.names.filter { $0.name != "fc" && $0.name != "at" }.compactMap { name, mark, node in
            value(name, mark, node)
        }
        if values.isEmpty, !write.names.contains(where: { $0.name != "fc" && $0.name != "at" }) {
            problems.error(
                "this command takes no word", at: write.mark, hint: "write: { fc: 5, \"ON\": 0xFF00, \"OFF\": 0x0000 }")
        }
        return PointCommand(
            function: function, address: address, values: values, verifies: verifies?.value ?? true)
    }

    /// Where it is written, for devices that take commands elsewhere than where they show their state.
    private func address(_ write: Section) -> UInt16? {
        write.integer("at", firstAddress...(65_535 + firstAddress)).map { UInt16($0 - firstAddress) }
    }

    private func function(_ write: Section) -> PointCommand.Function? {
        guard let function = write.integer("fc", 1...23).flatMap(PointCommand.Function.init) else {
            problems.error("'fc' must be 5 (coil) or 6 (register)", at: write.mark(of: "fc"))
            return nil
        }
        // Where the address is another, the table may be another too: inputs that show what a coil did.
        guard !write.has("at"), case .register(let source) = source, source.point.table != function.table else {
            return function
        }
        problems.error(
            "fc \(function.rawValue) writes to table '\(function.table.rawValue)', and this point is in "
                + "'\(source.point.table.rawValue)'", at: write.mark(of: "fc"),
            hint: "5 is for coils, 6 for holding registers; nothing can be written to the other tables")
        return nil
    }

    private func value(_ name: String, _ mark: Mark, _ node: Node) -> CommandValue? {
        guard let raw = node.text.flatMap(Scalar.integer), let word = UInt16(exactly: raw) else {
            problems.error("the value written for '\(name)' must be 0 to 0xFFFF", at: mark)
            return nil
        }
        return CommandValue(word: name, raw: word)
    }
}

extension PointCommand.Function {
    fileprivate var table: RegisterTable {
        switch self {
        case .writeSingleCoil: .coil
        case .writeSingleRegister: .holding
        }
    }
}
