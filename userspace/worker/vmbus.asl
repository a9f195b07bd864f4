/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmbus.asl - for guests with a VMBus: the device that their hv_vmbus binds to, in
 * a container whose window is the MMIO space that synthetic devices may ask for.
 */
DefinitionBlock ("vmbus.aml", "SSDT", 2, "OVID", "OVIDVBUS", 1)
{
	Scope (\_SB)
	{
		Device (VMOD)
		{
			Name (_HID, "ACPI0004")
			Name (_UID, 0)
			Name (_CRS, ResourceTemplate ()
			{
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					     NonCacheable, ReadWrite,
					     0, 0xF8000000, 0xFBFFFFFF, 0, 0x04000000)
			})

			Device (VMBS)
			{
				/* a method: the compiler does not like the length of this id */
				Method (_HID, 0, NotSerialized)
				{
					Return ("VMBus")
				}
				Name (_UID, 0)
				Name (_STA, 0x0F)
				Name (_CRS, ResourceTemplate () { })
			}
		}
	}
}
