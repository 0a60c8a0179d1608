import Bytes

/// A packet's MQTT 5 properties as values, for the packets that are rare; PUBLISH is read with `PropertyReader`.
///
/// Texts are bytes: they are passed on, not looked at.
package struct Properties: Equatable, Sendable {
    package struct UserProperty: Equatable, Sendable {
        package var name: [UInt8]
        package var value: [UInt8]

        package init(name: [UInt8], value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    /// The numeric properties that are present, in the order of the wire.
    private var numbers: [(property: Property, value: UInt32)] = []
    private var texts: [(property: Property, value: [UInt8])] = []
    /// In order, with duplicates. [MQTT-3.3.2-18]
    package var userProperties: [UserProperty] = []
    package var subscriptionIdentifiers: [UInt32] = []

    package init() {}

    package var isEmpty: Bool {
        numbers.isEmpty && texts.isEmpty && userProperties.isEmpty && subscriptionIdentifiers.isEmpty
    }

    /// A numeric property; setting nil takes it out.
    package subscript(number property: Property) -> UInt32? {
        get { numbers.first { $0.property == property }?.value }
        set {
            numbers.removeAll { $0.property == property }
            if let newValue { numbers.append((property, newValue)) }
        }
    }

    /// A text or binary property; setting nil takes it out.
    package subscript(bytes property: Property) -> [UInt8]? {
        get { texts.first { $0.property == property }?.value }
        set {
            texts.removeAll { $0.property == property }
            if let newValue { texts.append((property, newValue)) }
        }
    }

    package static func == (left: Properties, right: Properties) -> Bool {
        left.numbers.elementsEqual(right.numbers) { $0 == $1 }
            && left.texts.elementsEqual(right.texts) { $0 == $1 }
            && left.userProperties == right.userProperties
            && left.subscriptionIdentifiers == right.subscriptionIdentifiers
    }
}

extension Properties {
    /// Reads the property length and the properties, and steps over them.
    @_lifetime(reader: copy reader)
    init(
        reading reader: inout ByteReader, of bytes: Span<UInt8>, in place: Property.Place
    ) throws(DecodeError) {
        let length = try reader.variableByteInteger()
        let range = try reader.range(length)
        try self.init(bytes, range, in: place)
    }

    /// Reads the properties of `bytes` in `range`, the property length not included.
    package init(_ bytes: Span<UInt8>, _ range: Range<Int>, in place: Property.Place) throws(DecodeError) {
        var items = PropertyReader(bytes, range, in: place)
        while let item = try items.next() {
            switch item.property.form {
            case .byte, .twoBytes, .fourBytes: numbers.append((item.property, item.number))
            case .variable: subscriptionIdentifiers.append(item.number)
            case .text, .binary: texts.append((item.property, [UInt8](copying: bytes, item.first)))
            case .textPair:
                userProperties.append(
                    UserProperty(
                        name: [UInt8](copying: bytes, item.first), value: [UInt8](copying: bytes, item.second)))
            }
        }
    }

    /// Appends the property length and the properties.
    ///
    /// Without any, the length is 0. [MQTT-2.2.2-1]
    func encode(into output: inout [UInt8]) {
        var body: [UInt8] = []
        for (property, value) in numbers {
            body.append(property.rawValue)
            switch property.form {
            case .byte: body.append(UInt8(truncatingIfNeeded: value))
            case .twoBytes: body.append(bigEndian: UInt16(truncatingIfNeeded: value))
            default: body.append(bigEndian: value)
            }
        }
        for identifier in subscriptionIdentifiers {
            body.append(Property.subscriptionIdentifier.rawValue)
            body.append(variableByteInteger: Int(identifier))
        }
        for (property, value) in texts {
            body.append(property.rawValue)
            body.append(prefixed: value)
        }
        for property in userProperties {
            body.append(Property.userProperty.rawValue)
            body.append(prefixed: property.name)
            body.append(prefixed: property.value)
        }
        output.append(variableByteInteger: body.count)
        output.append(contentsOf: body)
    }
}
