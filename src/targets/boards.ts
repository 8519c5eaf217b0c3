/**
 * Microcontrollers and boards with one of the cores. `sram` and `flash` are what an application can use in total, in bytes,
 * as the maker's data sheet gives them (external flash where the chip has none of its own); `clockHz` is the highest rated
 * clock.
 */
export interface Board {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly description: string;
  /** A name in CORES. */
  readonly core: string;
  readonly sram: number;
  readonly flash: number;
  readonly clockHz: number;
}

const KiB = 1024;
const MiB = 1024 * KiB;
const MHz = 1_000_000;

function board(
  name: string,
  description: string,
  core: string,
  sram: number,
  flash: number,
  clockHz: number,
  ...aliases: string[]
): Board {
  return { name, aliases, description, core, sram, flash, clockHz };
}

export const BOARDS: readonly Board[] = [
  board('stm32f103', 'STM32F103xB', 'cortex-m3', 20 * KiB, 128 * KiB, 72 * MHz, 'f103', 'nucleo-f103rb'),
  board('stm32f407', 'STM32F407xG', 'cortex-m4', 192 * KiB, 1 * MiB, 168 * MHz, 'f407'),
  board('stm32f412', 'STM32F412xG', 'cortex-m4', 256 * KiB, 1 * MiB, 100 * MHz, 'f412'),
  board('stm32f746', 'STM32F746xG', 'cortex-m7', 320 * KiB, 1 * MiB, 216 * MHz, 'f746', 'stm32f746-disco'),
  board('stm32f765', 'STM32F765xI', 'cortex-m7', 512 * KiB, 2 * MiB, 216 * MHz, 'f765', 'openmv-m7'),
  board(
    'stm32h743',
    'STM32H743xI, AXI SRAM',
    'cortex-m7',
    512 * KiB,
    2 * MiB,
    480 * MHz,
    'h743',
    'openmv-h7',
  ),
  board('stm32l476', 'STM32L476xG', 'cortex-m4', 128 * KiB, 1 * MiB, 80 * MHz, 'l476', 'nucleo-l476rg'),
  board('stm32l4r5', 'STM32L4R5xI', 'cortex-m4', 640 * KiB, 2 * MiB, 120 * MHz, 'l4r5', 'nucleo-l4r5zi'),
  board('stm32u575', 'STM32U575xI', 'cortex-m33', 784 * KiB, 2 * MiB, 160 * MHz, 'u575'),
  board(
    'nrf52840',
    'nRF52840, Arduino Nano 33 BLE',
    'cortex-m4',
    256 * KiB,
    1 * MiB,
    64 * MHz,
    'nano33ble',
    'arduino-nano-33-ble',
  ),
  board('nrf5340', 'nRF5340, application core', 'cortex-m33', 512 * KiB, 1 * MiB, 128 * MHz),
  board('microbit', 'BBC micro:bit, nRF51822', 'cortex-m0plus', 16 * KiB, 256 * KiB, 16 * MHz, 'nrf51822'),
  board('microbit-v2', 'BBC micro:bit V2, nRF52833', 'cortex-m4', 128 * KiB, 512 * KiB, 64 * MHz, 'nrf52833'),
  board('samd21', 'SAMD21G18, Arduino Zero', 'cortex-m0plus', 32 * KiB, 256 * KiB, 48 * MHz, 'arduino-zero'),
  board('rp2040', 'RP2040, Raspberry Pi Pico', 'cortex-m0plus', 264 * KiB, 2 * MiB, 133 * MHz, 'pico'),
  board('rp2350', 'RP2350, Raspberry Pi Pico 2', 'cortex-m33', 520 * KiB, 4 * MiB, 150 * MHz, 'pico2'),
  board('esp32-c3', 'ESP32-C3, 4 MB flash', 'rv32imac', 400 * KiB, 4 * MiB, 160 * MHz),
  board('gd32vf103', 'GD32VF103xB', 'rv32imac', 32 * KiB, 128 * KiB, 108 * MHz),
  board(
    'corstone-300',
    'Arm Corstone-300 on MPS3 (AN547)',
    'cortex-m55',
    4 * MiB,
    2 * MiB,
    32 * MHz,
    'an547',
  ),
  board('alif-e3', 'Alif Ensemble E3, efficiency core, TCM', 'cortex-m55', 512 * KiB, 5632 * KiB, 160 * MHz),
];
