import { createNativeEngine } from '@pyisolate/native'
import { engineCompliance } from '@pyisolate/test-kit/compliance'

engineCompliance('the native engine, one process each,', { create: () => createNativeEngine() })
engineCompliance('the native engine without a pool', { create: () => createNativeEngine({ pool: 0 }) })
engineCompliance('the native engine, in a shared cell,', {
  create: () => createNativeEngine(),
  isolation: 'interpreter',
})
