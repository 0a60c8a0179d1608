import Testing

/// Which target may import what: the rows of CONTRIBUTING.md.
///
/// Kept apart from Package.swift on purpose: a dependency added there in passing is noticed here.
enum Floor {
    static let allowed: [String: Set<String>] = [
        // ground
        "Bytes": [],
        "Readings": [],
        "Hashing": ["CNettle"],
        // languages
        "MQTTCodec": ["Bytes"],
        "Modbus": ["Bytes"],
        "Decoders": ["Bytes", "Readings"],
        "Documents": ["CYaml"],
        "Framing": ["Bytes"],
        // decisions
        "Access": ["Bytes", "Hashing"],
        "Broker": ["Access", "Bytes", "Hashing", "MQTTCodec", "Readings"],
        "Client": ["Bytes", "MQTTCodec"],
        "Bridge": ["Bytes", "Client", "MQTTCodec"],
        "Mapping": ["Bytes", "MQTTCodec", "Readings"],
        "Control": ["Bytes", "Readings"],
        "Profiles": ["Bytes", "Decoders", "Documents", "Modbus", "Readings"],
        "Settings": [
            "Access", "Bridge", "Broker", "Control", "Decoders", "Documents", "MQTTCodec", "Mapping", "Modbus",
            "Profiles",
            "Readings",
        ],
        // edges
        "LinuxIO": ["Bytes", "CLinux", "Glibc", "Readings", "Synchronization"],
        "Serial": ["CUdev", "LinuxIO", "Synchronization"],
        "GPIO": ["Bytes", "LinuxIO"],
        "Store": ["Bytes", "LinuxIO", "Readings", "Synchronization"],
        "Network": [
            "Access", "Bridge", "Broker", "Bytes", "Client", "Framing", "LinuxIO", "MQTTCodec", "NIOCore", "NIOPosix",
            "NIOSSL", "NIOTLS", "Synchronization",
        ],
        "Drivers": [
            "Bytes", "Control", "Decoders", "GPIO", "LinuxIO", "Modbus", "Profiles", "Readings", "Serial", "Settings",
            "Synchronization",
        ],
        // top
        "Simulation": ["Bytes", "Decoders", "LinuxIO", "Modbus", "Readings", "Synchronization"],
        "martlet-bench": [
            "Access", "ArgumentParser", "Broker", "Bytes", "Hashing", "LinuxIO", "MQTTCodec", "Readings", "Store",
        ],
    ]

    /// Everything below the line in CONTRIBUTING.md: no IO, no clock, no threads.
    static let pure: Set<String> = [
        "Bytes", "Readings", "Hashing", "MQTTCodec", "Modbus", "Decoders", "Documents", "Framing", "Access", "Broker",
        "Client", "Bridge", "Mapping", "Control", "Profiles", "Settings",
    ]

    /// C libraries that compute and do no IO.
    static let computing: [String: Set<String>] = ["Documents": ["CYaml"], "Hashing": ["CNettle"]]
}

@Suite struct ImportTests {
    @Test(arguments: SourceTree.targets.filter { $0 != "martlet" })
    func `a target imports only from the rows below it`(target: String) throws {
        let allowed = try #require(Floor.allowed[target], "\(target) has no row in ImportTests")
        for file in SourceTree.sources where file.target == target {
            let foreign = Set(file.imports).subtracting(allowed).sorted()
            #expect(foreign.isEmpty, "\(file.testDescription)")
        }
    }

    @Test func `the executable leaves system calls and sockets to the edges`() {
        let forbidden: Set = [
            "Glibc", "CLinux", "CNettle", "CUdev", "CYaml", "NIOCore", "NIOPosix", "NIOSSL", "Dispatch",
        ]
        for file in SourceTree.sources where file.target == "martlet" {
            #expect(forbidden.isDisjoint(with: file.imports), "\(file.testDescription)")
        }
    }

    @Test func `nothing but tests imports Foundation`() {
        for file in SourceTree.sources {
            #expect(!file.imports.contains { $0.hasPrefix("Foundation") }, "\(file.testDescription)")
        }
    }

    @Test func `no import goes round in a circle`() {
        for (target, imports) in Floor.allowed {
            var reached = imports
            var open = Array(imports)
            while let next = open.popLast() {
                for further in Floor.allowed[next] ?? [] where reached.insert(further).inserted { open.append(further) }
            }
            #expect(!reached.contains(target), "\(target)")
        }
    }

    @Test func `a pure target needs pure targets only`() {
        for target in Floor.pure {
            let needed = Floor.allowed[target] ?? []
            let outside = needed.subtracting(Floor.pure)
            #expect(outside == (Floor.computing[target] ?? []), "\(target)")
        }
    }
}
