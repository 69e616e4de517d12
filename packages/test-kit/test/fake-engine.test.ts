import { complianceScript, engineCompliance } from '../src/compliance.js'
import { FakeEngine } from '../src/index.js'

engineCompliance('the fake engine', { create: () => new FakeEngine({ script: complianceScript }) })
