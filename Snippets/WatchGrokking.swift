// A small transformer that memorises modular addition first and understands it later.
import MartletProbes

var settings = GrokkingSettings()
settings.modulus = 23
settings.steps = 2000
var run = try GrokkingRun(settings)
while !run.isFinished {
  _ = run.train()
  if run.step % settings.interval == 0 {
    run.evaluate()
    if let point = run.points.last { print(point.step, point.trainingAccuracy, point.testAccuracy) }
  }
}
