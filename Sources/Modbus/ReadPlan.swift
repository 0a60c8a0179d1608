/// Where a value lies in a device.
package struct RegisterPoint: Equatable, Sendable {
    package var table: RegisterTable
    /// Zero-based, as on the wire.
    package var address: UInt16
    package var type: RegisterType
    package var order: WordOrder
    /// For a `bool` inside a register.
    package var bit: Int?

    package init(
        table: RegisterTable, address: UInt16, type: RegisterType, order: WordOrder = .ABCD, bit: Int? = nil
    ) {
        self.table = table
        self.address = address
        self.type = type
        self.order = order
        self.bit = bit
    }

    /// How many entries of its table it takes.
    package var count: Int { table.isBits ? 1 : type.registerCount }
}

/// The fewest requests that read a set of points.
package struct ReadPlan: Equatable, Sendable {
    /// One request, and which points it answers.
    package struct Block: Equatable, Sendable {
        package var table: RegisterTable
        package var start: UInt16
        package var count: UInt16
        /// Indexes into the points that the plan was made for.
        package var members: [Int]

        package init(table: RegisterTable, start: UInt16, count: UInt16, members: [Int]) {
            self.table = table
            self.start = start
            self.count = count
            self.members = members
        }

        package var request: Request {
            switch table {
            case .coil: .readCoils(start: start, count: count)
            case .discrete: .readDiscreteInputs(start: start, count: count)
            case .holding: .readHoldingRegisters(start: start, count: count)
            case .input: .readInputRegisters(start: start, count: count)
            }
        }
    }

    package private(set) var blocks: [Block] = []

    /// Joins points into blocks of at most `maximumRegisters`, reading over holes of at most `maximumHole` unused
    /// registers.
    ///
    /// Coils and discrete inputs count sixteen to a register.
    package init(_ points: [RegisterPoint], maximumRegisters: Int, maximumHole: Int) {
        for table in RegisterTable.allCases {
            let members = points.indices.filter { points[$0].table == table }
                .sorted { points[$0].address < points[$1].address }
            let factor = table.isBits ? 16 : 1
            // The protocol's own limits: 2000 bits, 125 registers.
            let limit = min(maximumRegisters * factor, table.isBits ? 2_000 : 125)
            join(members, points, table, limit: max(1, limit), hole: maximumHole * factor)
        }
    }

    private mutating func join(
        _ members: [Int], _ points: [RegisterPoint], _ table: RegisterTable, limit: Int, hole: Int
    ) {
        var open: Block?
        for member in members {
            let start = Int(points[member].address)
            let end = min(start + points[member].count, 65_536)
            if var block = open {
                let blockEnd = Int(block.start) + Int(block.count)
                let joined = max(blockEnd, end) - Int(block.start)
                if start - blockEnd <= hole, joined <= limit {
                    block.count = UInt16(clamping: joined)
                    block.members.append(member)
                    open = block
                    continue
                }
                blocks.append(block)
            }
            open = Block(
                table: table, start: points[member].address, count: UInt16(clamping: end - start), members: [member])
        }
        if let open { blocks.append(open) }
    }
}

extension ReadPlan.Block {
    /// The value of one of the block's points in the answer to its request.
    package func value(of point: RegisterPoint, in response: Response) -> RegisterValue? {
        let offset = Int(point.address) - Int(start)
        switch response {
        case .bits(let bits): return bits.indices.contains(offset) ? .boolean(bits[offset]) : nil
        case .registers(let registers):
            guard offset >= 0, offset < registers.count else { return nil }
            return point.type.decode(registers[offset...], order: point.order, bit: point.bit)
        case .written, .exception: return nil
        }
    }
}
