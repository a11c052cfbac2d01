// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "martlet",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "martlet", targets: ["martlet"]),
    .library(name: "MartletData", targets: ["MartletData"]),
    .library(name: "MartletTensor", targets: ["MartletTensor"]),
    .library(name: "MartletOptimization", targets: ["MartletOptimization"]),
    .library(name: "MartletDevice", targets: ["MartletDevice"]),
    .library(name: "MartletLayers", targets: ["MartletLayers"]),
    .library(name: "MartletCheckpoints", targets: ["MartletCheckpoints"]),
    .library(name: "MartletTokenizers", targets: ["MartletTokenizers"]),
    .library(name: "MartletModels", targets: ["MartletModels"]),
    .library(name: "MartletEngine", targets: ["MartletEngine"]),
    .library(name: "MartletTraining", targets: ["MartletTraining"]),
    .library(name: "MartletProbes", targets: ["MartletProbes"]),
    .library(name: "MartletSkeleton", targets: ["MartletSkeleton"]),
    .library(name: "MartletEditing", targets: ["MartletEditing"]),
    .library(name: "MartletEvaluation", targets: ["MartletEvaluation"]),
    .library(name: "MartletReasoning", targets: ["MartletReasoning"]),
    .library(name: "MartletSensing", targets: ["MartletSensing"]),
    .library(name: "MartletHostCheck", targets: ["MartletHostCheck"]),
    .library(name: "MartletServer", targets: ["MartletServer"]),
  ],
  traits: [
    .trait(
      name: "Attestation",
      description: "Checks signatures of SEV-SNP reports in `martlet host`; brings BoringSSL, minutes to compile.")
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(
      url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: ["FullFoundation"]),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.3.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.81.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.26.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.0.0"),
    // Of the trait Attestation alone.
    .package(url: "https://github.com/apple/swift-crypto", "3.12.3"..<"5.0.0"),
    .package(url: "https://github.com/apple/swift-asn1", from: "1.3.0"),
  ],
  targets: [
    .target(
      name: "CMartletKernels", exclude: ["Templates"],
      linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),
    .target(
      name: "CMartletData", exclude: ["Vocabulary", "Skeletons", "Page", "HostTables", "Tasks", "Teaching", "Recipes"]),
    .target(name: "CMartletSystem"),
    // The graphics card. Vulkan's loader is opened when it is asked for; compiled shaders are embedded.
    .target(
      name: "CMartletGPU", exclude: ["Shaders"], linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
    .target(name: "CMartletBox", exclude: ["box.gguf", "MODEL_CARD.md"]),
    .target(name: "MartletData"),
    .target(name: "MartletTensor", dependencies: ["CMartletKernels"]),
    .target(name: "MartletDevice", dependencies: ["CMartletGPU", "MartletData", "MartletTensor"]),
    .target(name: "MartletLayers", dependencies: ["MartletTensor"]),
    .target(name: "MartletCheckpoints", dependencies: ["MartletData", "MartletTensor"]),
    .target(
      name: "MartletOptimization",
      dependencies: ["MartletData", "MartletTensor", "MartletLayers", "MartletCheckpoints"]),
    .target(name: "MartletTokenizers", dependencies: ["MartletData", "MartletCheckpoints", "CMartletData"]),
    .target(
      name: "MartletModels",
      dependencies: [
        "MartletData", "MartletTensor", "MartletDevice", "MartletLayers", "MartletCheckpoints", "MartletTokenizers",
        "CMartletBox",
      ]),
    .target(
      name: "MartletEngine",
      dependencies: ["MartletData", "MartletTensor", "MartletLayers", "MartletTokenizers", "MartletModels"]),
    .target(
      name: "MartletTraining",
      dependencies: [
        "MartletOptimization", "MartletData", "MartletTensor", "MartletLayers", "MartletCheckpoints",
        "MartletTokenizers",
        "MartletModels",
      ]),
    .target(
      name: "MartletProbes",
      dependencies: [
        "MartletEvaluation", "MartletTraining", "MartletTokenizers", "MartletOptimization", "MartletData",
        "MartletTensor", "MartletLayers",
      ]),
    .target(
      name: "MartletSkeleton",
      dependencies: [
        "MartletData", "MartletCheckpoints", "MartletTokenizers", "MartletModels", "MartletEngine", "CMartletData",
      ]),
    .target(
      name: "MartletEditing",
      dependencies: [
        "MartletData", "MartletTensor", "MartletOptimization", "MartletLayers", "MartletTokenizers", "MartletModels",
        "MartletEngine",
        .product(name: "GRDB", package: "GRDB.swift"), .product(name: "GRDBSQLite", package: "GRDB.swift"),
      ]),
    .target(
      name: "MartletEvaluation",
      dependencies: [
        "MartletData", "MartletTensor", "MartletTokenizers", "MartletModels", "MartletEngine", "CMartletData",
      ]),
    .target(
      name: "MartletReasoning",
      dependencies: [
        "MartletEvaluation", "MartletTraining", "MartletEngine", "MartletModels", "MartletTokenizers",
        "MartletOptimization", "MartletCheckpoints", "MartletLayers", "MartletTensor", "MartletData", "CMartletData",
      ]),
    .target(
      name: "MartletSensing",
      dependencies: ["MartletOptimization", "MartletCheckpoints", "MartletLayers", "MartletTensor", "MartletData"]),
    .target(
      name: "MartletLaboratory",
      dependencies: [
        "MartletEditing", "MartletSkeleton", "MartletEvaluation", "MartletSensing", "MartletEngine", "MartletModels",
        "MartletTokenizers", "MartletTensor", "MartletOptimization", "MartletLayers",
        "MartletData", "CMartletData",
      ]),
    .target(
      name: "MartletHostCheck",
      dependencies: [
        "CMartletData", "CMartletSystem",
        .product(name: "Crypto", package: "swift-crypto", condition: .when(traits: ["Attestation"])),
        .product(name: "_CryptoExtras", package: "swift-crypto", condition: .when(traits: ["Attestation"])),
        .product(name: "SwiftASN1", package: "swift-asn1", condition: .when(traits: ["Attestation"])),
      ], exclude: ["README.md"]),
    .target(
      name: "MartletServer",
      dependencies: [
        "MartletData", "MartletTokenizers", "MartletModels", "MartletEngine", "MartletSkeleton",
        "MartletEditing", "MartletSensing", "MartletTensor", "MartletDevice",
        "MartletHostCheck", "CMartletData",
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ]),
    .executableTarget(
      name: "martlet",
      dependencies: [
        "MartletLaboratory", "MartletEvaluation", "MartletOptimization", "MartletData", "MartletTensor",
        "MartletDevice",
        "MartletCheckpoints",
        "MartletTokenizers",
        "MartletModels", "MartletEngine",
        "MartletTraining",
        "MartletProbes", "MartletReasoning", "MartletSensing", "MartletSkeleton", "MartletEditing", "MartletServer",
        "MartletHostCheck",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .target(name: "MartletTestSupport", path: "Tests/MartletTestSupport"),
    .testTarget(name: "MartletDataTests", dependencies: ["MartletData", "MartletTestSupport"]),
    .testTarget(name: "CMartletKernelsTests", dependencies: ["CMartletKernels", "MartletTestSupport"]),
    .testTarget(
      name: "MartletTensorTests",
      dependencies: ["MartletTensor", "MartletLayers", "MartletTestSupport"]),
    .testTarget(
      name: "MartletDeviceTests", dependencies: ["MartletDevice", "MartletData", "MartletTensor", "MartletTestSupport"]),
    .testTarget(name: "MartletLayersTests", dependencies: ["MartletTensor", "MartletLayers"]),
    .testTarget(
      name: "MartletCheckpointsTests", dependencies: ["MartletData", "MartletCheckpoints", "MartletTestSupport"]),
    .testTarget(
      name: "MartletOptimizationTests", dependencies: ["MartletTensor", "MartletOptimization"]),
    .testTarget(
      name: "MartletTokenizersTests", dependencies: ["MartletCheckpoints", "MartletTokenizers", "MartletTestSupport"]),
    .testTarget(
      name: "MartletModelsTests",
      dependencies: [
        "MartletData", "MartletTensor", "MartletDevice", "MartletLayers", "MartletCheckpoints", "MartletTokenizers",
        "MartletModels",
        "MartletTestSupport",
      ]),
    .testTarget(
      name: "MartletEngineTests",
      dependencies: [
        "MartletData", "MartletTensor", "MartletDevice", "MartletCheckpoints", "MartletTokenizers", "MartletModels",
        "MartletEngine", "MartletTestSupport",
      ]),
    .testTarget(
      name: "MartletTrainingTests",
      dependencies: [
        "MartletData", "MartletOptimization", "MartletTensor", "MartletLayers", "MartletCheckpoints",
        "MartletTokenizers",
        "MartletModels",
        "MartletTraining",
        "MartletTestSupport",
      ]),
    .testTarget(
      name: "MartletProbesTests",
      dependencies: [
        "MartletData", "MartletTensor", "MartletLayers", "MartletTokenizers", "MartletModels", "MartletTraining",
        "MartletEvaluation", "MartletProbes", "MartletTestSupport",
      ]),
    .testTarget(
      name: "MartletReasoningTests",
      dependencies: [
        "MartletData", "MartletOptimization", "MartletTensor", "MartletTokenizers", "MartletModels", "MartletTraining",
        "MartletEvaluation", "MartletReasoning", "MartletTestSupport",
      ]),
    .testTarget(
      name: "MartletSensingTests",
      dependencies: [
        "MartletSensing", "MartletOptimization", "MartletLayers", "MartletTensor", "MartletData", "MartletTestSupport",
      ]),
    .testTarget(
      name: "MartletSkeletonTests",
      dependencies: [
        "MartletCheckpoints", "MartletData", "MartletTensor", "MartletTokenizers", "MartletModels", "MartletEngine",
        "MartletSkeleton",
        "MartletTestSupport",
      ]),
    .testTarget(
      name: "MartletEditingTests",
      dependencies: [
        "MartletEvaluation", "MartletData", "MartletTensor", "MartletCheckpoints", "MartletTokenizers", "MartletModels",
        "MartletEngine",
        "MartletEditing",
        .product(name: "GRDB", package: "GRDB.swift"), "MartletTestSupport",
      ]),
    .testTarget(
      name: "ThirdFamilyTests",
      dependencies: [
        "MartletOptimization", "MartletData", "MartletTensor", "MartletLayers", "MartletCheckpoints",
        "MartletTokenizers",
        "MartletModels", "MartletEngine",
        "MartletTraining", "MartletEditing", "MartletTestSupport",
      ]),
    .testTarget(
      name: "MartletLaboratoryTests",
      dependencies: [
        "MartletEvaluation", "MartletSkeleton", "MartletEngine", "MartletModels", "MartletData", "MartletLaboratory",
        "MartletTestSupport",
      ]),
    .testTarget(
      name: "MartletEvaluationTests",
      dependencies: [
        "MartletData", "MartletCheckpoints", "MartletTensor", "MartletTokenizers", "MartletModels", "MartletEngine",
        "MartletEvaluation",
        "MartletTestSupport",
      ]),
    .testTarget(
      name: "MartletHostCheckTests", dependencies: ["MartletHostCheck", "MartletTestSupport"]),
    .testTarget(
      name: "MartletServerTests",
      dependencies: [
        "MartletLaboratory", "MartletEvaluation", "MartletData", "MartletLayers", "MartletTensor", "MartletTokenizers",
        "MartletModels", "MartletEngine", "MartletSkeleton",
        "MartletEditing", "MartletSensing", "MartletServer", .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOEmbedded", package: "swift-nio"),
        "MartletTestSupport",
      ]),
    .testTarget(
      name: "martletTests",
      dependencies: [
        "MartletData", "MartletCheckpoints", "MartletModels", "MartletEngine", "martlet", "MartletTestSupport",
      ]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu17
)

// A README beside the sources of a module tells how it works.
for target in package.targets
where ["MartletTensor", "MartletModels", "MartletEngine", "MartletEditing", "MartletServer"].contains(target.name) {
  target.exclude.append("README.md")
}

// What a file uses it imports, and Package.swift declares what is imported (Scripts/check_imports.py).
for target in package.targets where target.type != .plugin {
  target.swiftSettings = (target.swiftSettings ?? []) + [.enableUpcomingFeature("MemberImportVisibility")]
}

// Tests whose time goes into the libraries compile in less than half the time without optimisation.
for target in package.targets
where [
  "MartletDataTests", "MartletSkeletonTests", "MartletEvaluationTests", "MartletReasoningTests",
  "MartletLaboratoryTests",
  "MartletServerTests", "martletTests",
].contains(target.name) {
  target.swiftSettings?.append(.unsafeFlags(["-Onone"]))
}
