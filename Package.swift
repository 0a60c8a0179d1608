// swift-tools-version: 6.2
// 6.2 and not newer: arm64 binaries are cross-built with Debian's Swift 6.2.
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
]

/// Pure targets do no IO and mark every use of unsafe memory.
let pure: [SwiftSetting] = strict + [.strictMemorySafety(), .enableExperimentalFeature("Lifetimes")]

/// Edges make system calls; there pointers are daily bread.
let edge: [SwiftSetting] = strict + [.enableExperimentalFeature("Lifetimes")]

func pureTarget(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: pure)
}

func edgeTarget(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: edge)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.init(stringLiteral: name)] + dependencies, resources: resources,
        swiftSettings: edge)
}

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOTLS", package: "swift-nio"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
]

let package = Package(
    name: "martlet",
    products: [.executable(name: "martlet", targets: ["martlet"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    ],
    targets: [
        // ground
        pureTarget("Bytes"),
        pureTarget("Readings"),
        pureTarget("Hashing", ["CNettle"]),

        // languages
        pureTarget("MQTTCodec", ["Bytes"]),
        pureTarget("Modbus", ["Bytes"]),
        pureTarget("Decoders", ["Bytes", "Readings"]),
        pureTarget("Documents", ["CYaml"]),
        pureTarget("Framing", ["Bytes"]),

        // decisions
        pureTarget("Access", ["Bytes", "Hashing"]),
        pureTarget("Broker", ["Access", "Bytes", "Hashing", "MQTTCodec", "Readings"]),
        pureTarget("Client", ["Bytes", "MQTTCodec"]),
        pureTarget("Bridge", ["Bytes", "Client", "MQTTCodec"]),
        pureTarget("Mapping", ["Bytes", "Readings", "MQTTCodec"]),
        pureTarget("Control", ["Bytes", "Readings"]),
        pureTarget("Profiles", ["Bytes", "Documents", "Readings", "Modbus", "Decoders"]),
        pureTarget(
            "Settings",
            [
                "Documents", "Access", "Broker", "Bridge", "Mapping", "Control", "Profiles", "Readings", "Modbus",
                "Decoders", "MQTTCodec",
            ]),

        // edges
        .systemLibrary(name: "CYaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CNettle", pkgConfig: "nettle", providers: [.apt(["nettle-dev"])]),
        .systemLibrary(name: "CUdev", pkgConfig: "libudev", providers: [.apt(["libudev-dev"])]),
        .target(name: "CLinux"),
        edgeTarget("LinuxIO", ["CLinux", "Bytes", "Readings"]),
        edgeTarget("Serial", ["LinuxIO", "CUdev"]),
        edgeTarget("GPIO", ["LinuxIO", "Bytes"]),
        edgeTarget("Store", ["LinuxIO", "Bytes", "Readings"]),
        edgeTarget(
            "Network", ["Access", "Broker", "Client", "Bridge", "MQTTCodec", "Framing", "Bytes", "LinuxIO"] + nio),
        edgeTarget(
            "Drivers",
            [
                "LinuxIO", "Serial", "GPIO", "Modbus", "Decoders", "Profiles", "Settings", "Control", "Readings",
                "Bytes",
            ]),

        // top
        edgeTarget("Simulation", ["Modbus", "Decoders", "LinuxIO", "Bytes", "Readings"]),
        .executableTarget(
            name: "martlet",
            dependencies: [
                "Bytes", "Readings", "Access", "MQTTCodec", "Modbus", "Decoders", "Documents", "Broker", "Client",
                "Bridge",
                "Mapping", "Control", "Profiles", "Settings", "LinuxIO", "Serial", "GPIO", "Store", "Network",
                "Drivers", "Simulation",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: edge),

        .executableTarget(
            name: "martlet-bench",
            dependencies: [
                "Bytes", "Readings", "Hashing", "Access", "MQTTCodec", "Broker", "LinuxIO", "Store",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: edge),

        // tests
        .target(
            name: "KnownPackets", dependencies: ["Bytes", "MQTTCodec"], path: "Tests/KnownPackets", swiftSettings: edge),
        .target(
            name: "Fuzzing",
            dependencies: [
                "Access", "Broker", "Bytes", "Client", "Decoders", "Framing", "KnownPackets", "MQTTCodec", "Readings",
            ],
            path: "Tests/Fuzzing", swiftSettings: edge),
        .executableTarget(
            name: "martlet-fuzz", dependencies: ["Bytes", "Fuzzing"], path: "Tests/martlet-fuzz", swiftSettings: edge),
        tests("Fuzzing", ["Bytes"]),
        tests("Bytes", []),
        tests("Readings", []),
        tests("Hashing", []),
        tests("MQTTCodec", ["Bytes", "KnownPackets"]),
        tests("Modbus", ["Bytes"]),
        tests("Decoders", ["Bytes", "Readings"], resources: [.copy("Telegrams"), .copy("Captures")]),
        tests("Documents", []),
        tests("Framing", ["Bytes"]),
        tests("Access", ["Bytes", "Hashing"]),
        tests("Broker", ["Access", "Bytes", "Hashing", "KnownPackets", "MQTTCodec", "Readings"]),
        tests("Client", ["Bytes", "KnownPackets", "MQTTCodec"]),
        tests("Bridge", ["Bytes", "Client", "MQTTCodec"]),
        tests("Mapping", ["Bytes", "Readings", "MQTTCodec"]),
        tests("Control", ["Bytes", "Readings"]),
        tests("Profiles", ["Bytes", "Documents", "Readings", "Modbus", "Decoders"]),
        tests(
            "Settings",
            [
                "Documents", "Access", "Broker", "Bridge", "Mapping", "Control", "Profiles", "Readings", "Modbus",
                "Decoders", "MQTTCodec",
            ]),
        tests("LinuxIO", ["Bytes", "Readings"]),
        tests("Serial", ["LinuxIO"]),
        tests("GPIO", ["LinuxIO", "Bytes"]),
        tests("Store", ["LinuxIO", "Bytes", "Readings"]),
        tests(
            "Network", ["Access", "Broker", "Client", "Bridge", "MQTTCodec", "Framing", "Bytes", "LinuxIO", "Readings"]),
        tests(
            "Drivers",
            [
                "LinuxIO", "Serial", "Modbus", "Decoders", "Profiles", "Settings", "Control", "Readings", "Bytes",
                "Simulation",
            ]),
        tests("Simulation", ["Modbus", "Decoders", "LinuxIO", "Serial", "Bytes", "Readings"]),
        tests(
            "martlet",
            [
                "Bytes", "Readings", "MQTTCodec", "Modbus", "Decoders", "Profiles", "Settings", "LinuxIO", "Serial",
                "Network",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        tests("martlet-bench", ["MQTTCodec"]),
        .testTarget(name: "ArchitectureTests", swiftSettings: edge),
    ]
)
