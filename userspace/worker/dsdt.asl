/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dsdt.asl - the machine as ACPI sees it.  Hardware-reduced: sleep and reset
 * registers are in the FADT (worker/dev/power.h), there is no SCI.
 */
DefinitionBlock ("dsdt.aml", "DSDT", 2, "OVID", "OVIDDSDT", 1)
{
	Name (\_S5, Package () { 5, 0, 0, 0 })

	Scope (\_SB)
	{
		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 1)
			Name (_DDN, "COM1")
			Name (_STA, 0x0F)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x03F8, 0x03F8, 0, 8)
				Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 4 }
			})
		}

		Device (RTC)
		{
			Name (_HID, EisaId ("PNP0B00"))
			Name (_STA, 0x0F)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x0070, 0x0070, 0, 2)
				Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 8 }
			})
		}
	}
}
