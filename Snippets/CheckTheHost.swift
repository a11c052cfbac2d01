// Is this machine open to Reptar or CacheWarp?
import MartletHostCheck

let verdict = HostVerdict(try HostReader.read())
for finding in verdict.findings { print(finding.flaw, finding.status, finding.confidence) }
if let finding = verdict[.reptar], finding.status == .vulnerable {
  for line in Advice.lines(for: finding, facts: verdict.facts) { print(line) }
}
