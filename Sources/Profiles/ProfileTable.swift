/// The table of `docs/devices.md`: which models there are, and by which profile each is read.
package enum ProfileTable {
    /// A row for each product, by maker and model.
    package static func markdown(_ profiles: [Profile]) -> String {
        let rows = profiles.flatMap { profile in
            profile.products.map { product in
                Row(make: product.make ?? "", model: product.model, profile: profile)
            }
        }
        let head = ["| make | model | profile | as delivered | values |", "|---|---|---|---|---|"]
        return (head + rows.sorted().map(\.text)).joined(separator: "\n") + "\n"
    }

    fileprivate struct Row {
        var make: String
        var model: String
        var profile: Profile

        var text: String { "| \(make) | \(model) | `\(profile.name)` | \(line) | \(profile.points.count) |" }

        private var line: String {
            let speed = "\(profile.bus.baudrate) \(profile.bus.format)"
            switch profile.bus {
            case .modbus(let bus): return "Modbus, \(speed), unit \(bus.unit)"
            case .serial: return speed
            }
        }
    }
}

extension ProfileTable.Row: Comparable {
    private var order: [String] { [make.lowercased(), model.lowercased(), profile.name] }

    static func == (one: Self, other: Self) -> Bool { one.order == other.order }

    static func < (one: Self, other: Self) -> Bool { one.order.lexicographicallyPrecedes(other.order) }
}
