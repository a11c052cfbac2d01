import MartletData

// Schemas, tools and requests are JSON: whoever imports the engine can name its values.
@_exported import struct MartletData.JSONError
@_exported import struct MartletData.JSONObject
@_exported import enum MartletData.JSONValue
