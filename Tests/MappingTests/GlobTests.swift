import Mapping
import Testing

@Suite struct GlobTests {
    @Test(arguments: [
        ("voltage_*|current_*", "voltage_l1"), ("voltage_*|current_*", "current_"), ("*", ""), ("*", "x"),
        ("power", "power"), ("a*b*c", "aXXbYYbZc"), ("*_l1", "a_l1_l1"), ("a|", ""),
    ])
    func `matches`(pattern: String, name: String) {
        #expect(Glob(pattern).matches(name))
    }

    @Test(arguments: [
        ("voltage_*|current_*", "power_l1"), ("power", "power2"), ("power", "apower"), ("", "x"), ("a*b", "aXbc"),
        ("a*a", "a"),
    ])
    func `does not match`(pattern: String, name: String) {
        #expect(!Glob(pattern).matches(name))
    }

    @Test func `many stars over a long name end soon`() {
        let pattern = Glob(String(repeating: "*a", count: 50) + "b")
        #expect(!pattern.matches(String(repeating: "a", count: 2000)))
    }
}
