// A server that OpenAI's clients understand, until the process is told to stop.
import Logging
import MartletModels
import MartletServer

var configuration = ServerConfiguration()
configuration.port = 8080
configuration.modelName = "SmolLM2"
let server = ModelServer(configuration, logger: Logger(label: "martlet")) {
  try LoadedModel.load("SmolLM2-135M-Instruct.Q4_1")
}
try await server.run { port in print("http://127.0.0.1:\(port)") }
