import Testing

@testable import martlet

@Suite struct ProfileFoldersTests {
    @Test(arguments: [
        ("home.yaml", "."), ("config/demo.yaml", "config"), ("/home.yaml", "/"), ("/etc/a/b.yaml", "/etc/a"),
    ])
    func `the folder of a file`(path: String, folder: String) {
        #expect(ProfileFolders.folder(of: path) == folder)
    }

    @Test func `a folder that is asked for stands alone`() {
        #expect(ProfileFolders.folders(asked: "mine", configuration: "config/demo.yaml") == ["mine"])
    }
}
