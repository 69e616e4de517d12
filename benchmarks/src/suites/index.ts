import type { Suite } from '../suite.js'
import { broker } from './broker.js'
import { brokerNative } from './broker-native.js'
import { brokerRoundtrip } from './broker-roundtrip.js'
import { cycleLeak } from './cycle-leak.js'
import { guestCpu } from './guest-cpu.js'
import { brokerIo } from './io.js'
import { brokerLoad } from './load.js'
import { memoryInterpreter, memoryProcess } from './memory.js'
import { oneshot } from './oneshot.js'
import { policyCompile, policyReload } from './policy.js'
import { policyBrokerConnect, policyBrokerOpen } from './policy-broker.js'
import { policyLsmOverhead } from './policy-lsm.js'
import { roundtrip1kB } from './roundtrip.js'
import { spawnInterpreterPool, spawnProcessCold, spawnProcessPool } from './spawn.js'

export const suites: readonly Suite[] = [
  spawnProcessCold,
  spawnProcessPool,
  spawnInterpreterPool,
  roundtrip1kB,
  oneshot,
  memoryProcess,
  memoryInterpreter,
  guestCpu,
  policyCompile,
  policyReload,
  policyBrokerOpen,
  policyBrokerConnect,
  policyLsmOverhead,
  broker,
  brokerRoundtrip,
  brokerNative,
  brokerIo,
  brokerLoad,
  cycleLeak,
]
