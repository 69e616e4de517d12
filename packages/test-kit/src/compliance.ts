export { aeadCompliance } from './compliance/aead-compliance.js'
export { type ChannelComplianceOptions, channelCompliance } from './compliance/channel-compliance.js'
export { type EngineComplianceOptions, engineCompliance } from './compliance/engine-compliance.js'
export { complianceScript } from './compliance/programs.js'
