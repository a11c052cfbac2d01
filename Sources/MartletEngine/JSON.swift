// Schemas, tools and requests are JSON: whoever imports the engine can name its values.
@_exported import struct MartletCheckpoints.JSONError
@_exported import struct MartletCheckpoints.JSONObject
@_exported import enum MartletCheckpoints.JSONValue
